// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The system calls that the harness needs, by their manual pages (section 2), through JNA. */
final class Libc {
  static final int CLONE_NEWNET = 0x40000000;
  static final int O_RDONLY = 0;
  static final int O_RDWR = 2;
  static final int O_NONBLOCK = 0x800;
  static final int O_CLOEXEC = 0x80000;
  static final int EAGAIN = 11;
  static final int EIO = 5;
  static final int ENOBUFS = 105;
  static final int EINVAL = 22;

  /** Records of the kernel log were overwritten before they were read. */
  static final int EPIPE = 32;

  static final int SEEK_END = 2;

  static final int AF_INET = 2;
  static final int AF_NETLINK = 16;
  static final int AF_PACKET = 17;
  static final int SOCK_STREAM = 1;
  static final int SOCK_DGRAM = 2;
  static final int SOCK_RAW = 3;
  static final int SOCK_NONBLOCK = 0x800;
  static final int SOCK_CLOEXEC = 0x80000;
  static final int SOL_SOCKET = 1;
  static final int SO_REUSEADDR = 2;
  static final int SO_BROADCAST = 6;
  static final int SO_RCVBUF = 8;
  static final int SO_MARK = 36;
  static final int SO_BINDTODEVICE = 25;
  static final int SO_ATTACH_FILTER = 26;

  static final int IPPROTO_IP = 0;
  static final int IP_TOS = 1;
  static final int IP_FREEBIND = 15;
  static final int IP_TRANSPARENT = 19;

  /** Bytes of a struct sockaddr_ll. */
  static final int LINK_LAYER_LENGTH = 20;

  static final long TUNSETIFF = 0x400454caL;
  static final short IFF_TAP = 0x0002;
  static final short IFF_NO_PI = 0x1000;

  static {
    Native.register(Libc.class, "c");
  }

  private Libc() {}

  static native int unshare(int flags) throws LastErrorException;

  static native int setns(int fd, int type) throws LastErrorException;

  static native int gettid();

  static native int open(String path, int flags) throws LastErrorException;

  static native int close(int fd) throws LastErrorException;

  static native int ioctl(int fd, long request, byte[] argument) throws LastErrorException;

  static native long lseek(int fd, long offset, int whence) throws LastErrorException;

  static native long read(int fd, byte[] bytes, long count) throws LastErrorException;

  static native long write(int fd, byte[] bytes, long count) throws LastErrorException;

  /** From memory at an address, as often as one likes. */
  static native long write(int fd, long bytes, long count) throws LastErrorException;

  static native int socket(int domain, int type, int protocol) throws LastErrorException;

  static native int bind(int fd, byte[] address, int length) throws LastErrorException;

  static native int listen(int fd, int backlog) throws LastErrorException;

  static native int setsockopt(int fd, int level, int option, byte[] value, int length)
      throws LastErrorException;

  static native int if_nametoindex(String name) throws LastErrorException;

  static native long recv(int fd, byte[] bytes, long count, int flags) throws LastErrorException;

  static native long sendto(
      int fd, byte[] bytes, long count, int flags, byte[] address, int addressLength)
      throws LastErrorException;

  static native int setfsuid(int uid);

  static native int setfsgid(int gid);

  private static native long syscall(long number, long count, int[] groups)
      throws LastErrorException;

  /**
   * From now on what the calling thread opens belongs to them. The C library's setgroups would
   * change all threads.
   */
  static void become(int uid, int gid, List<Integer> groups) {
    long setgroups = System.getProperty("os.arch").equals("amd64") ? 116 : 159;
    int[] ids = groups.stream().mapToInt(Integer::intValue).toArray();
    syscall(setgroups, ids.length, ids);
    setfsgid(gid);
    setfsuid(uid);
  }

  /** What {@code read} gives at once, or null when it would block. */
  static byte[] readNow(int fd, byte[] scratch) {
    try {
      long length = read(fd, scratch, scratch.length);
      return length <= 0 ? null : java.util.Arrays.copyOf(scratch, (int) length);
    } catch (LastErrorException e) {
      if (e.getErrorCode() == EAGAIN) {
        return null;
      }
      throw e;
    }
  }

  /** Opens the TAP interface {@code name} of the calling thread's namespace, non-blocking. */
  static int openTap(String name) throws IOException {
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    // struct ifreq: name[16], then the flags in host order.
    ByteBuffer request = ByteBuffer.allocate(40).order(ByteOrder.nativeOrder());
    request.put(name.getBytes(StandardCharsets.US_ASCII));
    request.putShort(16, (short) (IFF_TAP | IFF_NO_PI));
    try {
      ioctl(fd, TUNSETIFF, request.array());
    } catch (LastErrorException e) {
      close(fd);
      throw new IOException("TUNSETIFF " + name + ": " + e.getMessage(), e);
    }
    return fd;
  }

  /** A struct sockaddr_in. */
  static byte[] inet(int address, int port) {
    ByteBuffer bytes = ByteBuffer.allocate(16).order(ByteOrder.nativeOrder());
    bytes.putShort(0, (short) AF_INET);
    bytes.order(ByteOrder.BIG_ENDIAN);
    bytes.putShort(2, (short) port);
    bytes.putInt(4, address);
    return bytes.array();
  }

  /** A struct sockaddr_ll: an EtherType on the interface of that index. */
  static byte[] linkLayer(int etherType, int index) {
    ByteBuffer bytes = ByteBuffer.allocate(LINK_LAYER_LENGTH).order(ByteOrder.nativeOrder());
    bytes.putShort(0, (short) AF_PACKET);
    bytes.putInt(4, index);
    bytes.order(ByteOrder.BIG_ENDIAN);
    bytes.putShort(2, (short) etherType);
    return bytes.array();
  }

  /** An {@code int} as setsockopt takes it. */
  static byte[] intValue(int value) {
    return ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(0, value).array();
  }
}

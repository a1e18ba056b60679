# SPDX-License-Identifier: Apache-2.0
# What bin/skbwalk and bin/verify ask of the machine: a JDK, Debian packages, Maven, a jar that is
# not older than its sources. Sourced with $root set; POSIX sh, nothing beyond Debian's base.

jar=$root/cli/target/skbwalk.jar
# How java runs it. With all classes in the archive -cp does not even open the jar, of which -jar reads
# the manifest; but where -cp is, a colon ends a name.
by=-cp
main=io.skbwalk.cli.Main
case $jar in *:*) by=-jar main= ;; esac
java_home=
maven_command=

say() {
  printf 'skbwalk: %s\n' "$1" >&2
}

# read_release HOME: sets version to the feature number (17, 25) of the JDK there, or 0, and build to
# its own name for itself. No processes: every start comes through here.
read_release() {
  version=
  build=
  if [ -r "$1/release" ]; then
    while IFS='=' read -r key value; do
      case $key in
        JAVA_VERSION) version=$value ;;
        JAVA_RUNTIME_VERSION) build=$value ;;
      esac
    done <"$1/release"
  fi
  version=${version#\"}
  version=${version%%[!0-9]*}
  version=${version:-0}
  build=${build#\"}
  build=${build%\"}
}

# java_version HOME: prints the feature number of the JDK there, or 0.
java_version() {
  read_release "$1"
  echo "$version"
}

# Sets java_home and java_feature: $JAVA_HOME, else java on the PATH, else the oldest JDK under
# /usr/lib/jvm that is new enough. Only what can compile too, unless find_java is told `run`.
find_java() {
  tool=javac
  [ "${1-}" != run ] || tool=java
  java_home=
  on_path=$(command -v java || :)
  [ -z "$on_path" ] || on_path=$(readlink -f -- "$on_path")
  for candidate in "${JAVA_HOME-}" "${on_path%/bin/java}" /usr/lib/jvm/*; do
    [ -n "$candidate" ] && [ -x "$candidate/bin/$tool" ] || continue
    read_release "$candidate"
    [ "$version" -ge 17 ] || continue
    java_feature=$version
    java_build=$build
    java_home=$candidate
    return 0
  done
  return 1
}

# missing_packages PACKAGE...: prints those of the Debian packages that are not installed.
missing_packages() {
  for package; do
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || :) in
      ii*) ;;
      *) printf '%s ' "$package" ;;
    esac
  done
}

# install_packages PACKAGE...: with apt, when that is allowed; otherwise says what to type and fails.
install_packages() {
  [ $# -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "missing here; as root: apt-get install -y --no-install-recommends $*"
    return 1
  fi
  say "installing $*"
  install_log=$(mktemp)
  if { apt-get update -q &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } \
    >"$install_log" 2>&1 </dev/null; then
    rm -f "$install_log"
  else
    cat "$install_log" >&2
    rm -f "$install_log"
    return 1
  fi
}

# What --filter and the tests load; looked for as a file, since any distribution's will do.
has_libpcap() {
  for library in /usr/lib/*/libpcap.so.* /usr/lib/libpcap.so.* /usr/lib64/libpcap.so.* \
    /usr/local/lib/libpcap.so.*; do
    [ ! -e "$library" ] || return 0
  done
  return 1
}

# A JDK and libpcap. Without libpcap everything but --filter works, so that alone is no failure.
prepare_machine() {
  if ! find_java; then
    if has_libpcap; then set -- default-jdk-headless; else set -- default-jdk-headless libpcap0.8; fi
    install_packages "$@" || return 1
    find_java || {
      say "a JDK of version 17 or newer is needed; set JAVA_HOME to one"
      return 1
    }
  fi
  has_libpcap || install_packages libpcap0.8 || :
}

# maven ARGUMENTS: the wrapper; a Maven of the machine only where the wrapper cannot be downloaded.
maven() {
  if [ -z "$maven_command" ]; then
    maven_command=$root/mvnw
    if ! JAVA_HOME=$java_home "$maven_command" --version >/dev/null 2>&1 &&
      command -v mvn >/dev/null; then
      maven_command=mvn
    fi
  fi
  (cd -- "$root" && JAVA_HOME=$java_home "$maven_command" -B "$@")
}

# is_stale MODULE: it was never built, or a source of it or of what it is built on is newer. Folders
# count too: their time changes when a file in them is removed.
is_stale() {
  [ -e "$root/$1/target/built" ] || return 0
  below=core
  [ "$1" != bench ] || below="core conformance"
  for module in $below "$1"; do
    [ -z "$(find "$root/pom.xml" "$root/$module/pom.xml" "$root/$module/src/main" \
      -newer "$root/$1/target/built" -print -quit)" ] || return 0
  done
  return 1
}

# build MODULES MAVEN-ARGUMENTS: what is changed while Maven runs counts as newer than what it built.
build() {
  modules=$1
  shift
  started=$(mktemp)
  if maven "$@"; then
    for module in $modules; do
      touch -r "$started" -- "$root/$module/target/built"
    done
    rm -f -- "$started"
  else
    rm -f -- "$started"
    return 1
  fi
}

# build_if_stale MODULE: packages it, quietly unless that fails. Two first uses at once: the second
# waits, and finds what the first has built.
build_if_stale() {
  is_stale "$1" || return 0
  mkdir -p -- "$root/target" 2>/dev/null || :
  if ! touch -- "$root/target/lock" 2>/dev/null; then
    say "$root/target: must be built, and cannot be written by this user"
    return 1
  fi
  exec 9>>"$root/target/lock"
  ! command -v flock >/dev/null || flock 9
  if is_stale "$1"; then
    prepare_machine 9>&- || return 1
    if [ -e "$root/$1/target/built" ]; then
      say "sources have changed; building"
    else
      say "building (the first time also downloads libraries)"
    fi
    log=$root/target/build.log
    if ! build "$1" -q -Dmaven.test.skip=true -pl "$1" -am package >"$log" 2>&1 9>&-; then
      cat -- "$log" >&2
      say "the build failed"
      return 1
    fi
  fi
  exec 9>&-
}

# The options of the JVM that do not depend on the command; sets jvm_options (no blanks in any).
#
# The heap takes what connections need, and little else: what one packet leaves behind is collected in
# a small young generation. Tables of connections grow by arrays of 48 KiB and more, which lie in the
# old generation from the first, and which no collection moves: ten million connections are more than
# a GiB, and copying that takes a second.
jvm_options() {
  jvm_options="-XX:MaxRAMPercentage=75 -XX:+UseCompressedOops -Xms64m -Xmn16m"
  jvm_options="$jvm_options -XX:PretenureSizeThreshold=48k"
  jvm_options="$jvm_options -XX:MarkSweepAlwaysCompactCount=1000000"
  jvm_options="$jvm_options -Xlog:disable -XX:-UsePerfData -Dfile.encoding=UTF-8"
  # Libraries log nothing; to set up the JDK's logger for them takes longer than to walk a packet.
  jvm_options="$jvm_options -Djava.util.logging.config.file=/dev/null"
  jvm_options="$jvm_options -Dio.netty.leakDetection.level=disabled"
  case ${SKBWALK_JAVA_OPTS-} in
    *-XX:+Use*GC*) ;;
    *) jvm_options="$jvm_options -XX:+UseSerialGC" ;;
  esac
  if [ "$java_feature" -ge 24 ]; then
    jvm_options="$jvm_options --enable-native-access=ALL-UNNAMED -Dio.netty.noUnsafe=false"
    jvm_options="$jvm_options --sun-misc-unsafe-memory-access=allow"
  fi
}

# Sets archive to the file of loaded classes (class-data sharing) for this JDK and this folder, and
# makes it when there is none. A static archive, since a dynamic one leaves most of picocli out; it
# halves the start. An empty file says that this JDK could not make one.
class_archive() {
  archive=$root/cli/target/java-$java_build.jsa
  # The JVM refuses one that is older than the jar, or that was made elsewhere, without a word.
  made_for=
  [ ! -r "$archive.for" ] || IFS= read -r made_for <"$archive.for" || :
  if [ "$made_for" = "$java_home $jar" ] && [ -e "$archive" ] && ! [ "$jar" -nt "$archive" ]; then
    return 0
  fi
  [ -w "$root/cli/target" ] || return 0
  scratch=$(mktemp -d -- "$root/cli/target/archive.XXXXXX") || return 0
  (
    cd -- "$scratch"
    exec >/dev/null 2>&1 </dev/null
    recorded=0
    record() {
      # shellcheck disable=SC2086
      "$java_home/bin/java" $jvm_options -XX:DumpLoadedClassList=list.$((recorded += 1)) \
        $by "$jar" $main "$@" || :
    }
    record --help
    record --version
    capture=$root/pcaps/http.pcap
    rules=$root/rules/web-server.yaml
    if [ -e "$capture" ] && [ -e "$rules" ]; then
      record replay "$capture" --rules "$rules" --out replayed
      record walk "$capture" --rules "$rules" --packet 1
    fi
    capture=$root/pcaps/nat-router.pcapng
    host=$root/config/router.yaml
    rules=$root/rules/nat-router.yaml
    if [ -e "$capture" ] && [ -e "$host" ] && [ -e "$rules" ]; then
      record walk "$capture" --host "$host" --rules "$rules" --packet 1-3
    fi
    # Several lists in one: their ids collide, and the JDK does not need them for its own loaders.
    cat list.* | grep -v -e '^#' -e ' source: ' | sed 's/ id: .*//' | awk '!seen[$0]++' >all
    "$java_home/bin/java" -Xshare:dump -XX:SharedClassListFile=all -XX:SharedArchiveFile=dumped \
      -Xmx256m -XX:ErrorFile=/dev/null -XX:-CreateCoredumpOnCrash $by "$jar" $main &&
      [ -s dumped ] ||
      : >dumped
    mv -f dumped "$archive"
    printf '%s\n' "$java_home $jar" >"$archive.for"
  ) || :
  rm -rf -- "$scratch"
}

// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.FrameFilter;
import io.skbwalk.capture.LinkType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import picocli.CommandLine;

/** The page as Debian's Chromium shows it, without a mouse. */
class PageInBrowserTest {
  private static final String RULES = "../rules/web-server.yaml";
  private static final String[] SCAN = {
    "../pcaps/portscan.pcap", "--host", "../config/web.yaml", "--rules", RULES
  };

  private static PageBrowser browser;

  @BeforeAll
  static void start() {
    browser = PageBrowser.start();
  }

  @AfterAll
  static void stop() {
    if (browser != null) {
      browser.close();
    }
  }

  /** Opens the page of these packets as a file. */
  private static void open(Path dir, String place, String... packets) throws IOException {
    String[] arguments = new String[SCAN.length + packets.length + 3];
    arguments[0] = "walk";
    System.arraycopy(SCAN, 0, arguments, 1, SCAN.length);
    System.arraycopy(packets, 0, arguments, 1 + SCAN.length, packets.length);
    arguments[arguments.length - 2] = "--format";
    arguments[arguments.length - 1] = "html";
    Path file = Files.writeString(dir.resolve("walk.html"), Run.of(arguments).out());
    browser.open(file.toUri() + place);
  }

  /** The script ran, and the policy let it: nothing to complain of. */
  private static void assertQuiet() {
    assertEquals(List.of(), browser.complaints());
  }

  @Test
  void stepsLightTheWay(@TempDir Path dir) throws IOException {
    open(dir, "#30.17", "--packet", "28-34");
    assertTrue(
        browser.text("result").startsWith("#30 ✗ dropped in nf_hook_slow"), browser.text("result"));
    String step = browser.text("step");
    assertTrue(step.contains("✓ INPUT rule 8 matched: REJECT"), step);
    assertTrue(step.contains("-p tcp -j REJECT --reject-with tcp-reset"), step);
    assertTrue(step.contains(RULES + ":33"), step);
    assertEquals("filter", browser.element("svg .here").getText());
    browser.press(Keys.ARROW_LEFT);
    browser.until("document.getElementById('step').textContent.includes('did not match')");
    assertTrue(browser.text("step").contains("destination port is 993"), browser.text("step"));
    assertTrue(
        browser
            .spoken("spoken")
            .startsWith("Step 16: LOCAL_IN, filter INPUT rule 7 did not match"));
    assertQuiet();
  }

  @Test
  void everyPacketHasItsPlaceInThePicture(@TempDir Path dir) throws IOException {
    open(dir, "", "--packet", "1-289");
    Object astray =
        browser.run(
            "return [...page.walks.values()].flatMap(({walk, frame}) => stepsOf(walk, frame))"
                + ".filter((step) => step.event.type !== 'initCall' && !NODES[step.node])"
                + ".map((step) => step.label + ': ' + step.text)");
    assertEquals(List.of(), astray);
  }

  /** What the machine sends for ARP meets no hook, no more than what it gets. */
  @Test
  void arpGoesPastTheHooks(@TempDir Path dir) throws IOException {
    Run walk =
        Run.of(
            "walk",
            "../pcaps/nat-router.pcapng",
            "--host",
            "../config/router.yaml",
            "--packet",
            "1-4",
            "--format",
            "html");
    Path page = Files.writeString(dir.resolve("walk.html"), walk.out());
    String[] lit = {"arp,in", "arp,out", null, "arp,out"};
    for (int i = 0; i < lit.length; i++) {
      if (lit[i] != null) {
        browser.open(page.toUri() + "#" + (i + 1));
        Object nodes =
            browser.run("return [...lit(page.steps, page.steps.length - 1).nodes].sort().join()");
        assertEquals(lit[i], nodes, "packet " + (i + 1));
      }
    }
  }

  @Test
  void wordsFilter(@TempDir Path dir) throws IOException {
    open(dir, "", "--packet", "28-34");
    browser.press("/");
    browser.press("dropped 993");
    browser.until("document.getElementById('filter-state').textContent === '1 of 7 packets'");
    assertEquals(1, browser.count(".packet-row"));
    assertQuiet();
  }

  /** Frames of every kind that the expressions tell apart. */
  private static final String KINDS =
      """
      host:
        interfaces:
          eth0: {macaddress: "02:00:00:00:00:50", addresses: [203.0.113.80/24]}
        assume-neighbours: true
      experiments:
        - name: kinds
          packets:
            - {in: eth0, tcp: {from: "198.51.100.9:40000", to: "203.0.113.80:22", flags: S}}
            - {in: eth0, tcp: {from: "198.51.100.9:80", to: "203.0.113.80:443", flags: SA, ip-options: "01010100", length: 60}}
            - {in: eth0, tcp: {from: "10.1.2.3:4000", to: "203.0.113.80:993", flags: FPU, tos: 16}}
            - {in: eth0, udp: {from: "198.51.100.53:53", to: "203.0.113.80:5353", payload: answer, ttl: 3}}
            - {in: eth0, fragments: 600, udp: {from: "198.51.100.53:53", to: "203.0.113.80:9", length: 1000}}
            - {in: eth0, icmp: {from: 198.51.100.9, to: 203.0.113.80, type: echo-request}}
            - {in: eth0, icmp: {from: 198.51.100.9, to: 203.0.113.80, type: 3, code: 1, quote: {udp: {from: "203.0.113.80:9", to: "198.51.100.9:53"}}}}
            - {in: eth0, ip: {from: 10.1.2.3, to: 203.0.113.80, protocol: 47, payload-hex: 00000800}}
            - {in: eth0, ip: {from: 10.1.2.3, to: 224.0.0.1, protocol: 2, payload-hex: "1100000000000000"}}
            - {in: eth0, arp: {operation: request, from: 203.0.113.9, to: 203.0.113.80}}
            - {in: eth0, ethernet: {vlan: 10}, tcp: {from: "198.51.100.9:40000", to: "203.0.113.80:22", flags: S}}
            - {in: eth0, udp: {from: "203.0.113.9:68", to: "255.255.255.255:67", length: 300}}
            - {in: eth0, tcp: {from: "198.51.100.9:1", to: "203.0.113.80:2", flags: S}, truncate: 36}
            - {in: eth0, frame: "020000000050 0200000000fe 86dd 60000000 0014 06 40 20010db8000000000000000000000001 20010db8000000000000000000000002 9c40 0016 00000000 00000000 5002 2000 0000 0000"}
            - {sent: true, udp: {from: "203.0.113.80:5000", to: "198.51.100.53:53", payload: hello}}
      """;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tcp;udp;icmp;arp;ip;ip6;igmp;not tcp;! udp and !icmp;rarp;sctp;esp;ah",
        "host 198.51.100.9;src host 198.51.100.9;dst 203.0.113.80;src 10.1.2.3 or 198.51.100.53",
        "arp host 203.0.113.9;arp dst 203.0.113.80;ip host 203.0.113.9;host 203.0.113.9",
        "net 198.51.100.0/24;src net 10;dst net 203.0.113;net 10.1.0.0 mask 255.255.0.0;not net 198.51;net 0.0.0.0/0",
        "port 22;tcp port 22 or 80;udp src port 53;src or dst port 9;src and dst port 53;not port 22;dst port domain",
        "portrange 20-25;tcp portrange 400-1000;port 22 and src net 10 or udp;port ssh or port http",
        "(tcp or udp) and dst host 203.0.113.80;not (tcp or udp);((icmp)) || arp && host 203.0.113.80",
        "ip proto 47;proto 2;ip proto \\tcp;ether proto 0x0806;ether proto \\arp;ip proto \\tcp and port 22",
        "ether host 02:00:00:00:00:50;ether dst ff:ff:ff:ff:ff:ff;broadcast;multicast;ip multicast;ether broadcast",
        "vlan;vlan 10;vlan 11;vlan 10 and tcp port 22;tcp port 22 or vlan 10 and port 22",
        "less 60;greater 300;not less 60",
        "tcp[tcpflags] & tcp-syn != 0;tcp[13] & (tcp-syn|tcp-ack) == tcp-syn;icmp[icmptype] == icmp-echo",
        "ip[8] < 5;ip[6:2] & 0x1fff != 0;ether[0] & 1 = 1;udp[4:2] > 100;tcp[0:2] = 80;not tcp[13] = 2"
      })
  void expressionsAreTcpdumps(String expressions, @TempDir Path dir) throws IOException {
    Path kinds = Files.writeString(dir.resolve("kinds.yaml"), KINDS);
    Path capture = dir.resolve("kinds.pcapng");
    Run.of("craft", kinds.toString(), "-o", capture.toString());
    Run walk = Run.of("walk", capture.toString(), "--as", "203.0.113.80", "--format", "html");
    browser.open(Files.writeString(dir.resolve("walk.html"), walk.out()).toUri().toString());
    for (String expression : expressions.split(";")) {
      List<Long> wanted = new ArrayList<>();
      FrameFilter filter = FrameFilter.compile(expression, LinkType.ETHERNET);
      try (CaptureReader frames = CaptureReader.open(capture.toString())) {
        while (frames.next()) {
          if (filter.matches(frames)) {
            wanted.add(frames.frameNumber());
          }
        }
      }
      Object taken =
          browser.run(
              "const takes = takesExpression('"
                  + expression.replace("\\", "\\\\")
                  + "'); return takes && page.packets.filter((packet) =>"
                  + " takes(frameOf(page.walks.get(packet.n).frame, packet.length)))"
                  + ".map((packet) => packet.n)");
      assertEquals(wanted, taken, expression);
    }
  }

  @Test
  void whatIsNoExpressionFiltersByWords(@TempDir Path dir) throws IOException {
    open(dir, "", "--packet", "28-34");
    for (String words :
        new String[] {
          "dropped",
          "tcp 993",
          "#30",
          "filter/INPUT#8",
          "port",
          "host 1.2",
          "(tcp",
          "tcp and",
          "net 10.0.0.1/8",
          "203.0.113.9",
          "ip proto tcp",
          "993 or 22"
        }) {
      assertEquals(null, browser.run("return takesExpression('" + words + "')"), words);
    }
    browser.press("/");
    browser.press("tcp dst port 993 or 22");
    browser.until("document.getElementById('filter-help').textContent.includes('expression')");
    browser.until("document.getElementById('filter-state').textContent === '1 of 7 packets'");
    browser.press(Keys.chord(Keys.CONTROL, "a"));
    browser.press("dropped 993");
    browser.until("document.getElementById('filter-help').textContent === 'Read as words'");
    browser.until("document.getElementById('filter-state').textContent === '1 of 7 packets'");
    assertQuiet();
  }

  @Test
  void narrowScreenScrollsDownOnly(@TempDir Path dir) throws IOException {
    browser.look(390, 844);
    try {
      open(dir, "", "--packet", "28-34");
      assertEquals(
          true,
          browser.run(
              "return document.documentElement.scrollWidth <= innerWidth"
                  + " && diagram.picture.viewBox.baseVal.width === 380"));
    } finally {
      browser.look(1280, 800);
    }
  }

  @Test
  void editedRuleIsReplayedAndItsErrorShownAtItsLine() throws IOException {
    Served served = new Served(CommandLine.populateCommand(new MachineOptions(), SCAN));
    try (PageServer server = new PageServer(served, 0)) {
      browser.open(server.address() + "#32");
      assertTrue(browser.text("result").startsWith("#32 ✓ delivered"), browser.text("result"));
      browser.press("/");
      browser.press("port 993");
      browser.until("document.getElementById('filter-state').textContent === '2 of 289 packets'");
      browser.element("#tab-rules").sendKeys(Keys.ENTER);
      WebElement rules = browser.element("#rules-text");
      rules.sendKeys(Keys.chord(Keys.CONTROL, "a"));
      rules.sendKeys("*filter\n-A INPUT -p tcp --dport 443 -j DRP\nCOMMIT\n");
      browser.until("document.querySelector('.lines li.wrong')");
      assertEquals("2", browser.element(".lines li.wrong").getText());
      assertTrue(browser.text("rules-state").contains(RULES + ":2:"), browser.text("rules-state"));
      assertTrue(browser.text("result").startsWith("#32 ✓ delivered"), "the last right rules stay");
      browser.complaints();
      rules.sendKeys(Keys.chord(Keys.CONTROL, "a"));
      rules.sendKeys("*filter\n-A INPUT -p tcp --dport 443 -j DROP\nCOMMIT\n");
      browser.until("document.getElementById('result').textContent.startsWith('#32 ✗ dropped')");
      assertTrue(
          browser.text("rules-state").startsWith("Replayed 289 frames"),
          browser.text("rules-state"));
      assertEquals(0, browser.count(".lines li.wrong"));
    }
  }

  @Test
  void editSaysWhatItChangesAndCanBePutBack() throws IOException {
    Served served = new Served(CommandLine.populateCommand(new MachineOptions(), SCAN));
    try (PageServer server = new PageServer(served, 0)) {
      browser.open(server.address() + "#32");
      browser.element("#tab-rules").sendKeys(Keys.ENTER);
      browser.run(
          "const text = byId('rules-text'); text.value = text.value.replace('dports: [80, 443]',"
              + " 'dports: [80]'); text.dispatchEvent(new Event('input'))");
      browser.until("document.querySelector('#rules-changes .chart button')");
      String changes = browser.text("rules-changes");
      assertTrue(changes.startsWith("3 packets end otherwise than under the rules as"), changes);
      assertTrue(changes.contains("✓ delivered ⇒ ✗ dropped 3 packets"), changes);
      browser.open(server.address() + "#32");
      browser.element("#tab-rules").sendKeys(Keys.ENTER);
      assertEquals(changes, browser.text("rules-changes"), "a page loaded anew knows it, too");
      browser.element("#rules-changes .chart button").sendKeys(Keys.ENTER);
      browser.until("page.shown.length === 3");
      String row = browser.element("#packets [role=option]").getText();
      assertTrue(row.contains("was delivered ✗ dropped"), row);
      browser.element("#tab-rules").sendKeys(Keys.ENTER);
      browser.element("#rules-changes .link").sendKeys(Keys.ENTER);
      browser.until("document.getElementById('rules-changes').textContent === ''");
      browser.until("document.getElementById('result').textContent.startsWith('#32 ✓ delivered')");
      assertQuiet();
    }
  }

  @Test
  void listCanBeSaved(@TempDir Path dir) throws IOException {
    Served served = new Served(CommandLine.populateCommand(new MachineOptions(), SCAN));
    try (PageServer server = new PageServer(served, 0)) {
      browser.open(server.address());
      browser.press("/");
      browser.press("port 993");
      browser.until("page.shown.length === 2");
      assertEquals("Save this list as a page", browser.text("save"));
      String saved =
          (String) browser.run("return fetch(byId('save').href).then((answer) => answer.text())");
      browser.open(Files.writeString(dir.resolve("saved.html"), saved).toUri() + "#30");
      assertEquals("2 packets", browser.text("filter-state"));
      assertTrue(browser.text("result").startsWith("#30 ✗ dropped"), browser.text("result"));
      assertQuiet();
    }
  }

  @Test
  void newestChoiceIsShownHoweverFastTheyCome() throws IOException {
    Served served = new Served(CommandLine.populateCommand(new MachineOptions(), SCAN));
    try (PageServer server = new PageServer(served, 0)) {
      browser.open(server.address());
      browser.element("#packets").sendKeys(Keys.ARROW_DOWN.toString().repeat(40));
      browser.until("document.getElementById('result').textContent.startsWith('#41 ')");
      assertTrue(
          (Long) browser.run("return performance.getEntriesByType('resource').length") < 40,
          "what is passed by is not asked for one by one");
      assertQuiet();
    }
  }

  @Test
  void hundredThousandPacketsAreAFewRows(@TempDir Path dir) throws IOException {
    String[] arguments = SCAN.clone();
    arguments[0] = repeated(Path.of(SCAN[0]), 100_000, dir.resolve("long.pcap")).toString();
    Served served = new Served(CommandLine.populateCommand(new MachineOptions(), arguments));
    try (PageServer server = new PageServer(served, 0)) {
      browser.open(server.address());
      assertEquals("100,000 packets", browser.text("filter-state"));
      browser.element("#packets").sendKeys(Keys.END);
      browser.until("document.getElementById('result').textContent.startsWith('#100000 ')");
      assertEquals("#100000", browser.element("#packets [aria-selected=true] b").getText());
      assertTrue(browser.count(".packet-row") < 60);
      browser.element("#tab-rules").sendKeys(Keys.ENTER);
      browser.run("performance.clearResourceTimings()");
      browser.run(
          "const text = byId('rules-text'); text.value = '*filter\\n-A INPUT -p udp -j DROP\\n'"
              + " + 'COMMIT\\n'; text.dispatchEvent(new Event('input'))");
      browser.until("document.querySelector('#rules-changes .chart button')");
      assertTrue(browser.text("rules-state").startsWith("Replayed 100,000 frames"));
      assertTrue(
          (Boolean)
              browser.run(
                  "return performance.getEntriesByType('resource').every((one) =>"
                      + " !one.name.endsWith('/packets') && one.decodedBodySize < 500000)"),
          "an edit does not send the list again");
      browser.element("#tab-packets").sendKeys(Keys.ENTER);
      browser.press("/");
      browser.press("port 993");
      browser.until("page.shown.length === 692");
      assertQuiet();
    }
  }

  /** The frames of a capture over and over, each round a minute after the last. */
  private static Path repeated(Path capture, int frames, Path file) throws IOException {
    ByteBuffer once = ByteBuffer.wrap(Files.readAllBytes(capture)).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer all = ByteBuffer.allocate(24 + frames * 200).order(ByteOrder.LITTLE_ENDIAN);
    all.put(once.slice(0, 24));
    int at = 24;
    int round = 0;
    for (int i = 0; i < frames; i++) {
      if (at == once.limit()) {
        at = 24;
        round++;
      }
      int size = 16 + once.getInt(at + 8);
      all.put(once.slice(at, size));
      all.putInt(all.position() - size, once.getInt(at) + 60 * round);
      at += size;
    }
    return Files.write(file, Arrays.copyOf(all.array(), all.position()));
  }
}

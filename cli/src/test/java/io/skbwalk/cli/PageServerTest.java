// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Requests as a browser (or somebody else) writes them, byte by byte, and the answers to them. */
class PageServerTest {
  private static final String RULES = "../rules/web-server.yaml";
  private static final String[] SCAN = {
    "../pcaps/portscan.pcap", "--host", "../config/web.yaml", "--rules", RULES
  };

  private PageServer server;
  private int port;

  @BeforeEach
  void start() throws IOException {
    server = new PageServer(new Served(CommandLine.populateCommand(new MachineOptions(), SCAN)), 0);
    port = URI.create(server.address()).getPort();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private record Answer(int status, String head, String body) {}

  private Answer ask(String request, String body, String... headers) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", port)) {
      String head = request + " HTTP/1.1\r\n" + String.join("\r\n", headers);
      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
      String rest = "\r\nConnection: close\r\nContent-Length: " + bytes.length + "\r\n\r\n";
      socket.getOutputStream().write((head + rest).getBytes(StandardCharsets.UTF_8));
      socket.getOutputStream().write(bytes);
      String all = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int end = all.indexOf("\r\n\r\n");
      return new Answer(
          Integer.parseInt(all.substring(9, 12)), all.substring(0, end), all.substring(end + 4));
    }
  }

  private Answer get(String path) throws IOException {
    return ask("GET " + path, "", "Host: 127.0.0.1:" + port);
  }

  private Answer edit(String file, String text) throws IOException {
    return ask(
        "POST /rules?file=" + URLEncoder.encode(file, StandardCharsets.UTF_8),
        text,
        "Host: 127.0.0.1:" + port,
        "Origin: http://127.0.0.1:" + port);
  }

  @Test
  void givesThePage() throws IOException {
    Answer page = get("/");
    assertEquals(200, page.status);
    assertTrue(page.body.contains("connect-src 'self'"));
    assertTrue(
        page.body.contains(
            "{\"served\":true,\"scenario\":false,\"edited\":false,\"files\":[{\"name\":\""
                + RULES));
    assertTrue(page.head.contains("X-frame-options: DENY"), page.head);
    assertTrue(page.head.contains("X-content-type-options: nosniff"), page.head);
  }

  @ParameterizedTest
  @CsvSource({
    "GET /,          127.0.0.1:PORT,    ,                       ,            200",
    "GET /,          localhost:PORT,    ,                       ,            200",
    "GET /replay,    127.0.0.1:PORT,    ,                       same-origin, 200",
    "GET /,          evil.example,      ,                       ,            403",
    "GET /,          evil.example:PORT, ,                       ,            403",
    "GET /,          127.0.0.1,         ,                       ,            403",
    "GET /replay,    127.0.0.1:PORT,    http://evil.example,    ,            403",
    "GET /replay,    127.0.0.1:PORT,    http://127.0.0.1:1,     ,            403",
    "GET /replay,    127.0.0.1:PORT,    null,                   ,            403",
    "GET /replay,    127.0.0.1:PORT,    ,                       cross-site,  403",
    "GET /replay,    127.0.0.1:PORT,    ,                       same-site,   403",
    "POST /rules,    127.0.0.1:PORT,    ,                       ,            403",
    "POST /rules,    127.0.0.1:PORT,    http://evil.example,    ,            403",
    "POST /rules,    127.0.0.1:PORT,    http://127.0.0.1:PORT,  ,            404",
    "POST /replay,   127.0.0.1:PORT,    http://127.0.0.1:PORT,  ,            405",
    "GET /rules,     127.0.0.1:PORT,    ,                       ,            405",
  })
  void answersItsOwnPageOnly(String request, String host, String origin, String site, int status)
      throws IOException {
    String number = Integer.toString(port);
    Answer answer =
        ask(
            request,
            "",
            "Host: " + host.replace("PORT", number),
            origin == null ? "Accept: */*" : "Origin: " + origin.replace("PORT", number),
            site == null ? "Accept: */*" : "Sec-Fetch-Site: " + site);
    assertEquals(status, answer.status, answer.body);
  }

  @Test
  void listensOnOneLoopbackAddressOnly() {
    assertThrows(ConnectException.class, () -> new Socket("127.0.0.2", port).close());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/etc/passwd",
        "/../../../../../../etc/passwd",
        "/rules/web-server.yaml",
        "/page/page.js",
        "/walks",
        "/walks?packets=",
        "/walks?packets=%00",
        "/walks?packets=/etc/passwd",
        "/page",
        "/page?packets=../1"
      })
  void knowsNothingElse(String path) throws IOException {
    assertEquals(404, get(path).status);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "3-1", "1,,2", "99999999999999999999"})
  void saysWhatIsNoPacket(String packets) throws IOException {
    Answer answer = get("/walks?packets=" + packets);
    assertEquals(422, answer.status);
    assertTrue(answer.body.contains("numbers from 1 are wanted"), answer.body);
  }

  @Test
  void packetThatIsNotThereHasNoWalk() throws IOException {
    assertEquals("{\"walks\":[]}", get("/walks?packets=290").body);
  }

  @Test
  void rulesBeyondAllMeasureAreRefusedWhole() throws IOException {
    assertEquals(413, edit(RULES, "#".repeat((8 << 20) + 1)).status);
    assertEquals(get("/written").body, get("/replay").body);
  }

  @Test
  void editsOnlyFilesThatWereNamed() throws IOException {
    assertEquals(404, edit("/etc/passwd", "").status);
    assertEquals(404, edit("../rules/lab.yaml", "").status);
  }

  @Test
  void walkIsTheOneOfTheCommandLine() throws IOException {
    Run run =
        Run.of(
            "walk",
            SCAN[0],
            "--host",
            SCAN[2],
            "--rules",
            RULES,
            "--packet",
            "30",
            "--misses",
            "--format",
            "json");
    Answer walk = get("/walks?packets=30");
    assertEquals(200, walk.status);
    String told = "{\"walk\":" + run.out().strip() + ",\"frame\":\"";
    assertTrue(walk.body.startsWith("{\"walks\":[" + told), walk.body);
    Answer walks = get("/walks?packets=289,30,2");
    assertTrue(walks.body.contains(told), walks.body);
    assertEquals(3, walks.body.split("\"frame\":\"").length - 1);
  }

  @Test
  void packetsAreThoseOfReplay(@TempDir Path dir) throws IOException {
    Run.of(
        "replay", SCAN[0], "--host", SCAN[2], "--rules", RULES, "--out", dir.toString(), "--quiet");
    ObjectMapper mapper = new ObjectMapper();
    JsonNode replay = mapper.readTree(get("/replay").body);
    JsonNode looks = mapper.readTree(get("/packets").body);
    List<String> lines = Files.readAllLines(dir.resolve("packets.jsonl"));
    assertEquals(2 * lines.size(), replay.get("packets").size());
    assertEquals(4 * lines.size(), looks.size());
    assertTrue(replay.get("outcomes").size() < 20, "most packets share theirs");
    long number = 0;
    for (int i = 0; i < lines.size(); i++) {
      ObjectNode line = (ObjectNode) mapper.readTree(lines.get(i));
      number += replay.get("packets").get(2 * i).asLong();
      assertEquals(line.remove("n").asLong(), number);
      assertEquals(line.remove("length"), looks.get(4 * i + 2));
      line.remove("time");
      ArrayNode outs = mapper.createArrayNode();
      line.withArray("out").forEach(out -> outs.add(out.get("interface")));
      line.set("out", outs);
      assertEquals(line, replay.get("outcomes").get(replay.get("packets").get(2 * i + 1).asInt()));
    }
    assertEquals(replay, mapper.readTree(get("/written").body));
  }

  @Test
  void looksAreWhatTcpdumpWouldShow() throws IOException {
    assertTrue(
        get("/packets")
            .body
            .startsWith(
                "[1,0,42,\"ARP who-has 203.0.113.80 tell 203.0.113.254 42 bytes\",1,17165,42,"),
        get("/packets").body.substring(0, 200));
  }

  @Test
  void someArePageOfTheirOwn() throws IOException {
    Answer page = get("/page?packets=28-30,32");
    assertEquals(200, page.status);
    assertTrue(page.head.contains("Content-disposition: attachment"), page.head);
    Run run =
        Run.of(
            "walk",
            SCAN[0],
            "--host",
            SCAN[2],
            "--rules",
            RULES,
            "--packet",
            "28-30,32",
            "--format",
            "html");
    assertEquals(run.out(), page.body);
  }

  @Test
  void filterTakesWhatTcpdumpWould() throws IOException {
    assertEquals("{\"numbers\":[30,31]}", get("/filter?expression=port+993").body);
    Answer wrong = get("/filter?expression=prt+993");
    assertEquals(422, wrong.status);
    assertTrue(wrong.body.contains("syntax error"), wrong.body);
    assertTrue(get("/replay").body.contains("\"in\" : 289,"), "the filter is forgotten");
  }

  @Test
  void wrongRuleIsRefusedAtItsPlaceAndTheLastRightOnesStay() throws IOException {
    String before = get("/walks?packets=32").body;
    Answer wrong =
        edit(RULES, "tables:\n  filter:\n    INPUT:\n      rules:\n        - {jump: NOPE}\n");
    assertEquals(422, wrong.status);
    assertEquals(
        "{\"problem\":\"there is neither a target nor, in table filter, a chain NOPE\",\"file\":\""
            + RULES
            + "\",\"line\":5,\"column\":11}",
        wrong.body);
    assertEquals(before, get("/walks?packets=32").body);
  }

  @Test
  void rightRuleIsReplayedAtOnceAndItsFileStaysAsItIs() throws IOException {
    String text = Files.readString(Path.of(RULES));
    String before = get("/replay").body;
    assertTrue(before.contains("\"delivered\" : 20,"), before);
    Answer edited = edit(RULES, "*filter\n-A INPUT -p tcp --dport 443 -j DROP\nCOMMIT\n");
    assertEquals(200, edited.status, edited.body);
    assertFalse(edited.body.contains("\"delivered\" : 20,"), edited.body);
    assertEquals(edited.body, get("/replay").body);
    assertEquals(before, get("/written").body);
    assertTrue(get("/walks?packets=32").body.contains("-p tcp -m tcp --dport 443 -j DROP"));
    assertTrue(get("/").body.contains("--dport 443 -j DROP"), "a page loaded anew has it, too");
    assertTrue(get("/").body.contains("\"edited\":true"));
    assertEquals(text, Files.readString(Path.of(RULES)));
  }

  @ParameterizedTest
  @CsvSource({
    "serve -,                                          - cannot be read again for each replay",
    "serve,                                            a capture is missing",
    "serve ../pcaps/http.pcap --port 70000,            a port is 0 to 65535",
    "serve ../pcaps/none.pcap,                         no such file",
    "serve ../pcaps/http.pcap --rules none.yaml,       no such file",
    "serve ../pcaps/http.pcap --filter 'ipp',          syntax error"
  })
  void commandSaysWhatIsWrong(String arguments, String problem) {
    Run run = Run.of(arguments.replace("'", "").split(" "));
    assertEquals(2, run.status());
    assertTrue(run.err().startsWith("skbwalk: ") && run.err().contains(problem), run.err());
  }

  @Test
  void portInUseIsNamed() {
    Run run = Run.of("serve", "../pcaps/http.pcap", "--port", Integer.toString(port));
    assertEquals(2, run.status());
    assertEquals(
        "skbwalk: --port " + port + ": something else listens there; give another, or 0 for any\n",
        run.err());
  }
}

// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What stands in the page; a browser's view of it is tested elsewhere. */
class PageTest {
  private static final String[] NAT = {
    "walk",
    "../pcaps/nat-router.pcapng",
    "--host",
    "../config/router.yaml",
    "--rules",
    "../rules/nat-router.yaml"
  };

  private static Run walk(String... more) {
    String[] arguments = new String[NAT.length + more.length];
    System.arraycopy(NAT, 0, arguments, 0, NAT.length);
    System.arraycopy(more, 0, arguments, NAT.length, more.length);
    return Run.of(arguments);
  }

  private static String between(String page, String begin, String end) {
    int at = page.indexOf(begin) + begin.length();
    return page.substring(at, page.indexOf(end, at));
  }

  private static String contents(String page) {
    return between(page, "id=\"contents\">", "</script>");
  }

  @Test
  void policyAllowsExactlyItsOwnScriptAndStyle() throws Exception {
    String page = walk("--packet", "9", "--format", "html").out();
    String policy = between(page, "Content-Security-Policy\" content=\"", "\"");
    String script = page.substring(page.lastIndexOf("<script>") + 8, page.lastIndexOf("</script>"));
    String style = between(page, "<style>", "</style>");
    assertEquals(
        "default-src 'none'; script-src '"
            + hash(script)
            + "'; style-src '"
            + hash(style)
            + "'; base-uri 'none'; form-action 'none'",
        policy);
  }

  private static String hash(String text) throws Exception {
    byte[] digest =
        MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    return "sha256-" + Base64.getEncoder().encodeToString(digest);
  }

  @ParameterizedTest
  @CsvSource({
    "https?://(?!www\\.w3\\.org/2000/svg)",
    "<link",
    "<[a-z]+ [^>]*src=",
    "@import",
    "url\\((?!#)"
  })
  void needsNothingFromElsewhere(String pattern) {
    String page = walk("--packet", "9", "--format", "html").out();
    Matcher found = Pattern.compile(pattern).matcher(page.replace("`url(#", "`"));
    assertFalse(found.find(), pattern);
  }

  @Test
  void holdsTheWalksOfJson() {
    String page = walk("--packet", "9-12", "--format", "html").out();
    String json = walk("--packet", "9-12", "--format", "json", "--misses").out();
    String walks = json.stripTrailing().replace("<", "\\u003c").replace("\n", ",\n");
    assertTrue(contents(page).contains("\"walks\":[" + walks + "]"), contents(page));
  }

  @Test
  void hitsOfRulesAreThoseOfTheWholeReplay(@TempDir Path dir) throws IOException {
    String page = walk("--packet", "9", "--format", "html", "--out", dir.toString()).out();
    String counters = Files.readString(dir.resolve("counters.v4"));
    Matcher rule =
        Pattern.compile("\\[(\\d+):\\d+] -A PREROUTING -i eth0 -p tcp .*DNAT").matcher(counters);
    assertTrue(rule.find(), counters);
    assertTrue(
        Pattern.compile(
                "\"table\":\"nat\",\"chain\":\"PREROUTING\",\"number\":1,[^}]*\"packets\":"
                    + rule.group(1)
                    + "}")
            .matcher(contents(page))
            .find());
  }

  @Test
  void commentOfRuleCannotEndTheScript(@TempDir Path dir) throws IOException {
    Path rules =
        Files.writeString(
            dir.resolve("evil.v4"),
            "*filter\n-A INPUT -m comment --comment \"</script><script>alert(1)</script>\"\nCOMMIT\n");
    Run run =
        Run.of(
            "walk",
            "--host",
            "../config/router.yaml",
            "--rules",
            rules.toString(),
            "--send",
            "eth0 tcp 198.51.100.9:40000 > 203.0.113.1:22 S",
            "--format",
            "html");
    assertEquals(0, run.status(), run.err());
    assertFalse(run.out().contains("<script>alert"));
    assertEquals(2, run.out().split("</script>", -1).length - 1);
    assertTrue(isJson(contents(run.out())));
  }

  private static boolean isJson(String text) throws IOException {
    try (JsonParser parser = new JsonFactory().createParser(text)) {
      JsonToken first = parser.nextToken();
      parser.skipChildren();
      return first == JsonToken.START_OBJECT && parser.nextToken() == null;
    }
  }

  @Test
  void isTheSameEveryTime() {
    assertEquals(
        walk("--packet", "9", "--format", "html").out(),
        walk("--packet", "9", "--format", "html").out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"--only=nat", "--json"})
  void saysWhatDoesNotGoWithAPage(String option) {
    Run run = walk(option, "--format", "html");
    assertEquals(2, run.status());
    String name = option.replaceAll("=.*", "");
    assertTrue(run.err().contains("leave " + name + " away"), run.err());
  }

  @Test
  void tooManyPacketsAreRefused() {
    List<String> arguments = new ArrayList<>(List.of("walk", "--host", "../config/web.yaml"));
    for (int i = 0; i < 8; i++) {
      arguments.add("--in=eth0=../pcaps/portscan.pcap");
    }
    arguments.add("--format=html");
    Run run = Run.of(arguments.toArray(String[]::new));
    assertEquals(2, run.status());
    assertEquals("", run.out());
    assertTrue(run.err().contains("more than 2000 packets are chosen"), run.err());
  }
}

// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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

  @Test
  void wordsFilter(@TempDir Path dir) throws IOException {
    open(dir, "", "--packet", "28-34");
    browser.press("/");
    browser.press("dropped 993");
    browser.until("document.getElementById('filter-state').textContent === '1 of 7 packets'");
    assertEquals(1, browser.count(".packet-row"));
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
  void hundredThousandPacketsAreAFewRows() throws IOException {
    Served served = new Served(CommandLine.populateCommand(new MachineOptions(), SCAN));
    try (PageServer server = new PageServer(served, 0)) {
      browser.open(server.address());
      browser.run(
          "page.packets = Array.from({length: 100000},"
              + " (_, i) => ({...page.packets[i % 289], n: i + 1})); listPackets();");
      browser.element("#packets").sendKeys(Keys.END);
      browser.until(
          "document.querySelector('#packets [aria-selected=true] b')?.textContent === '#100000'");
      assertTrue(browser.count(".packet-row") < 60);
    }
  }
}

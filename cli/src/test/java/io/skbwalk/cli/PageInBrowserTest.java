// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.Dimension;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;
import picocli.CommandLine;

/** The page as Debian's Chromium shows it, without a mouse. */
class PageInBrowserTest {
  private static final Path CHROMIUM = Path.of("/usr/bin/chromium");
  private static final Path DRIVER = Path.of("/usr/bin/chromedriver");
  private static final String RULES = "../rules/web-server.yaml";
  private static final String[] SCAN = {
    "../pcaps/portscan.pcap", "--host", "../config/web.yaml", "--rules", RULES
  };

  private static final Logger SELENIUM = Logger.getLogger("org.openqa.selenium");

  private static ChromeDriver browser;

  @BeforeAll
  static void start() {
    assumeTrue(
        Files.exists(CHROMIUM) && Files.exists(DRIVER),
        "no chromium and chromedriver here (Debian's chromium, chromium-driver): the page is not"
            + " tried in a browser");
    // It warns of each new Chromium, though nothing of that is used here.
    SELENIUM.setLevel(Level.SEVERE);
    ChromeOptions options = new ChromeOptions();
    options.setBinary(CHROMIUM.toFile());
    options.addArguments("--headless=new", "--no-sandbox", "--disable-gpu");
    options.addArguments("--disable-dev-shm-usage", "--window-size=1280,800");
    LoggingPreferences logging = new LoggingPreferences();
    logging.enable(LogType.BROWSER, Level.ALL);
    options.setCapability(ChromeOptions.LOGGING_PREFS, logging);
    ChromeDriverService service =
        new ChromeDriverService.Builder().usingDriverExecutable(DRIVER.toFile()).build();
    browser = new ChromeDriver(service, options);
  }

  @AfterAll
  static void stop() {
    if (browser != null) {
      browser.quit();
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
    browser.get(file.toUri() + place);
    until("page.steps.length > 0");
  }

  /** Waits for a condition of the page, at most 30 seconds. */
  private static void until(String condition) {
    Object held =
        browser.executeAsyncScript(
            "const [done] = arguments; const end = Date.now() + 25000;"
                + "(function look() { if ("
                + condition
                + ") done(true); else if (Date.now() > end) done(false);"
                + " else setTimeout(look, 20); })();");
    assertEquals(true, held, condition);
  }

  private static String text(String id) {
    return browser.findElement(By.id(id)).getText();
  }

  private static void press(CharSequence... keys) {
    browser.switchTo().activeElement().sendKeys(keys);
  }

  /** The script ran, and the policy let it: nothing to complain of. */
  private static void assertQuiet() {
    List<LogEntry> said = browser.manage().logs().get(LogType.BROWSER).getAll();
    assertEquals(List.of(), said);
  }

  @Test
  void stepsLightTheWay(@TempDir Path dir) throws IOException {
    open(dir, "#30.17", "--packet", "28-34");
    assertTrue(text("result").startsWith("#30 ✗ dropped in nf_hook_slow"), text("result"));
    String step = text("step");
    assertTrue(step.contains("✓ INPUT rule 8 matched: REJECT"), step);
    assertTrue(step.contains("-p tcp -j REJECT --reject-with tcp-reset"), step);
    assertTrue(step.contains(RULES + ":33"), step);
    assertEquals("filter", browser.findElement(By.cssSelector("svg .here")).getText());
    press(Keys.ARROW_LEFT);
    until("document.getElementById('step').textContent.includes('did not match')");
    assertTrue(text("step").contains("destination port is 993"), text("step"));
    assertTrue(
        String.valueOf(browser.findElement(By.id("spoken")).getDomProperty("textContent"))
            .startsWith("Step 16: LOCAL_IN, filter INPUT rule 7 did not match"));
    assertQuiet();
  }

  @Test
  void everyPacketHasItsPlaceInThePicture(@TempDir Path dir) throws IOException {
    open(dir, "", "--packet", "1-289");
    Object astray =
        browser.executeScript(
            "return [...page.walks.values()].flatMap(({walk, frame}) => stepsOf(walk, frame))"
                + ".filter((step) => step.event.type !== 'initCall' && !NODES[step.node])"
                + ".map((step) => step.label + ': ' + step.text)");
    assertEquals(List.of(), astray);
  }

  @Test
  void wordsFilter(@TempDir Path dir) throws IOException {
    open(dir, "", "--packet", "28-34");
    press("/");
    press("dropped 993");
    until("document.getElementById('filter-state').textContent === '1 of 7 packets'");
    assertEquals(1, browser.findElements(By.className("packet-row")).size());
    assertQuiet();
  }

  @Test
  void narrowScreenScrollsDownOnly(@TempDir Path dir) throws IOException {
    browser.manage().window().setSize(new Dimension(500, 900));
    try {
      open(dir, "", "--packet", "28-34");
      assertEquals(
          true,
          browser.executeScript(
              "return document.documentElement.scrollWidth <= innerWidth"
                  + " && diagram.picture.viewBox.baseVal.width === 380"));
    } finally {
      browser.manage().window().setSize(new Dimension(1280, 800));
    }
  }

  @Test
  void editedRuleIsReplayedAndItsErrorShownAtItsLine() throws IOException {
    Served served = new Served(CommandLine.populateCommand(new MachineOptions(), SCAN));
    try (PageServer server = new PageServer(served, 0)) {
      browser.get(server.address() + "#32");
      until("page.steps.length > 0");
      assertTrue(text("result").startsWith("#32 ✓ delivered"), text("result"));
      press("/");
      press("port 993");
      until("document.getElementById('filter-state').textContent === '2 of 289 packets'");
      browser.findElement(By.id("tab-rules")).sendKeys(Keys.ENTER);
      WebElement rules = browser.findElement(By.id("rules-text"));
      rules.sendKeys(Keys.chord(Keys.CONTROL, "a"));
      rules.sendKeys("*filter\n-A INPUT -p tcp --dport 443 -j DRP\nCOMMIT\n");
      until("document.querySelector('.lines li.wrong')");
      assertEquals("2", browser.findElement(By.cssSelector(".lines li.wrong")).getText());
      assertTrue(text("rules-state").contains(RULES + ":2:"), text("rules-state"));
      assertTrue(text("result").startsWith("#32 ✓ delivered"), "the last right rules stay");
      browser.manage().logs().get(LogType.BROWSER);
      rules.sendKeys(Keys.chord(Keys.CONTROL, "a"));
      rules.sendKeys("*filter\n-A INPUT -p tcp --dport 443 -j DROP\nCOMMIT\n");
      until("document.getElementById('result').textContent.startsWith('#32 ✗ dropped')");
      assertTrue(text("rules-state").startsWith("Replayed 289 frames"), text("rules-state"));
      assertEquals(0, browser.findElements(By.cssSelector(".lines li.wrong")).size());
    }
  }

  @Test
  void hundredThousandPacketsAreAFewRows() throws IOException {
    Served served = new Served(CommandLine.populateCommand(new MachineOptions(), SCAN));
    try (PageServer server = new PageServer(served, 0)) {
      browser.get(server.address());
      until("page.steps.length > 0");
      browser.executeScript(
          "page.packets = Array.from({length: 100000},"
              + " (_, i) => ({...page.packets[i % 289], n: i + 1})); listPackets();");
      browser.findElement(By.id("packets")).sendKeys(Keys.END);
      until("document.querySelector('#packets [aria-selected=true] b')?.textContent === '#100000'");
      assertTrue(browser.findElements(By.className("packet-row")).size() < 60);
    }
  }
}

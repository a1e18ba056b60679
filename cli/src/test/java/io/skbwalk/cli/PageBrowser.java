// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.openqa.selenium.By;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/** Debian's Chromium without a window, and what its user does and sees. */
final class PageBrowser implements AutoCloseable {
  private static final Path CHROMIUM = Path.of("/usr/bin/chromium");
  private static final Path DRIVER = Path.of("/usr/bin/chromedriver");
  private static final Logger SELENIUM = Logger.getLogger("org.openqa.selenium");

  private final ChromeDriver driver;
  private String axe;

  private PageBrowser(ChromeDriver driver) {
    this.driver = driver;
  }

  /** Starts it; where there is none, the tests that want it are skipped. */
  static PageBrowser start() {
    assumeTrue(
        Files.exists(CHROMIUM) && Files.exists(DRIVER),
        "no chromium and chromedriver here (Debian's chromium, chromium-driver): the page is not"
            + " tried in a browser");
    // It warns of each new Chromium, though nothing of that is used here.
    SELENIUM.setLevel(Level.SEVERE);
    ChromeOptions options = new ChromeOptions();
    options.setBinary(CHROMIUM.toFile());
    options.addArguments("--headless=new", "--no-sandbox", "--disable-gpu");
    options.addArguments("--disable-dev-shm-usage", "--hide-scrollbars");
    LoggingPreferences logging = new LoggingPreferences();
    logging.enable(LogType.BROWSER, Level.ALL);
    options.setCapability(ChromeOptions.LOGGING_PREFS, logging);
    ChromeDriverService service =
        new ChromeDriverService.Builder().usingDriverExecutable(DRIVER.toFile()).build();
    PageBrowser browser = new PageBrowser(new ChromeDriver(service, options));
    browser.look(1280, 800);
    browser.prefer("light");
    return browser;
  }

  @Override
  public void close() {
    driver.quit();
  }

  /** A screen of this size. */
  void look(int width, int height) {
    driver.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 760));
  }

  /** A person who prefers this colour scheme. */
  void prefer(String scheme) {
    driver.executeCdpCommand(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
  }

  /** Opens an address and waits until a packet is shown. */
  void open(String address) {
    // An address that differs in its end alone would not be loaded anew.
    driver.get("about:blank");
    driver.get(address);
    until("page.steps.length > 0");
  }

  /** Waits for a condition of the page, at most 25 seconds. */
  void until(String condition) {
    Object held =
        driver.executeAsyncScript(
            "const [done] = arguments; const end = Date.now() + 25000;"
                + "(function look() { if ("
                + condition
                + ") done(true); else if (Date.now() > end) done(false);"
                + " else setTimeout(look, 20); })();");
    assertEquals(true, held, condition);
  }

  Object run(String script) {
    return driver.executeScript(script);
  }

  WebElement element(String selector) {
    return driver.findElement(By.cssSelector(selector));
  }

  int count(String selector) {
    return driver.findElements(By.cssSelector(selector)).size();
  }

  /** What an element says, as it is seen. */
  String text(String id) {
    return driver.findElement(By.id(id)).getText();
  }

  /** What an element says to a screen reader alone. */
  String spoken(String id) {
    return String.valueOf(driver.findElement(By.id(id)).getDomProperty("textContent"));
  }

  /** A picture of the screen. */
  byte[] picture() {
    return driver.getScreenshotAs(OutputType.BYTES);
  }

  void press(CharSequence... keys) {
    driver.switchTo().activeElement().sendKeys(keys);
  }

  /** What the console complained of since the last question. */
  List<LogEntry> complaints() {
    return driver.manage().logs().get(LogType.BROWSER).getAll();
  }

  /**
   * What axe finds in the page as it stands: impact, rule, and the first places.
   *
   * @param rules those asked, separated by commas; empty for all
   */
  Object violations(String rules) throws IOException {
    if (axe == null) {
      try (InputStream in = PageBrowser.class.getResourceAsStream("/axe.min.js")) {
        axe = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      }
    }
    if (driver.executeScript("return typeof axe").equals("undefined")) {
      driver.executeScript(axe);
    }
    return driver.executeAsyncScript(
        "const [rules, done] = arguments;"
            + "axe.run(document, {preload: false, resultTypes: ['violations'],"
            + " ...(rules ? {runOnly: rules.split(',')} : {})}).then("
            + "(found) => done(found.violations.map((one) => one.impact + ' ' + one.id + ': '"
            + " + one.help + ' ' + one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)"
            + " + ' ' + node.failureSummary.replace(/\\s+/g, ' ')).join(' | '))),"
            + "(wrong) => done([String(wrong)]));",
        rules);
  }
}

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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import picocli.CommandLine;

/** Axe finds nothing in the page, whatever it shows, on either screen and in either scheme. */
class PageAccessibilityTest {
  private static final String[] ROUTER = {
    "../pcaps/nat-router.pcapng",
    "--host",
    "../config/router.yaml",
    "--rules",
    "../rules/nat-router.yaml"
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

  /** Nothing is found; in the dark only colours can be otherwise. */
  private static void assertAccessible(String state) throws IOException {
    browser.prefer("light");
    assertEquals(List.of(), browser.violations(""), state);
    browser.prefer("dark");
    assertEquals(List.of(), browser.violations("color-contrast"), state + " in the dark");
  }

  private static void tab(String name) {
    browser.element("#tab-" + name).sendKeys(Keys.ENTER);
    browser.until("!document.getElementById('panel-" + name + "').hidden");
  }

  @Test
  void whatIsWrongWouldBeFound() throws IOException {
    browser.prefer("light");
    Served served = new Served(CommandLine.populateCommand(new MachineOptions(), ROUTER));
    try (PageServer server = new PageServer(served, 0)) {
      browser.open(server.address());
      browser.run("diagram.picture.removeAttribute('aria-label')");
      String found = browser.violations("").toString();
      assertTrue(found.contains("serious svg-img-alt"), found);
      browser.run("byId('about').style.color = '#ddd'");
      found = browser.violations("color-contrast").toString();
      assertTrue(found.contains("id=\"about\""), found);
    }
  }

  @ParameterizedTest
  @CsvSource({"1280, 800", "390, 844"})
  void fileIsAccessible(int width, int height, @TempDir Path dir) throws IOException {
    Run run =
        Run.of("walk", ROUTER[0], ROUTER[1], ROUTER[2], ROUTER[3], ROUTER[4], "--format", "html");
    Path file = Files.writeString(dir.resolve("walk.html"), run.out());
    browser.look(width, height);
    browser.open(file.toUri().toString());
    assertAccessible("the first packet");
    browser.run("document.activeElement.blur()");
    for (int i = 0; i < 6; i++) {
      browser.element("body").sendKeys(Keys.ARROW_RIGHT);
    }
    assertAccessible("a step of it");
    browser.element("#filter-text").sendKeys("no such packet");
    browser.until("page.shown.length === 0");
    assertAccessible("nothing found");
    for (String name : List.of("flows", "rules", "drops")) {
      tab(name);
      assertAccessible(name);
    }
  }

  @ParameterizedTest
  @CsvSource({"1280, 800", "390, 844"})
  void serveIsAccessible(int width, int height) throws IOException {
    Served served = new Served(CommandLine.populateCommand(new MachineOptions(), ROUTER));
    try (PageServer server = new PageServer(served, 0)) {
      browser.look(width, height);
      browser.open(server.address() + "#9.20");
      assertAccessible("a step");
      WebElement filter = browser.element("#filter-text");
      filter.sendKeys("prt 80");
      browser.until("document.getElementById('filter-state').className === 'wrong'");
      assertAccessible("a wrong filter");
      filter.sendKeys(Keys.chord(Keys.CONTROL, "a"), "port 80");
      tab("rules");
      assertAccessible("the editor");
      WebElement rules = browser.element("#rules-text");
      rules.sendKeys(Keys.chord(Keys.CONTROL, "a"));
      rules.sendKeys("*filter\n-A FORWARD -p tcp --dport 443 -j DRP\nCOMMIT\n");
      browser.until("document.querySelector('.lines li.wrong')");
      assertAccessible("a wrong rule");
      rules.sendKeys(Keys.chord(Keys.CONTROL, "a"));
      rules.sendKeys("*filter\n-A FORWARD -p tcp -j DROP\nCOMMIT\n");
      browser.until("document.querySelector('#rules-changes .chart button')");
      assertAccessible("a changed rule");
      tab("drops");
      assertAccessible("the drops");
    }
  }
}

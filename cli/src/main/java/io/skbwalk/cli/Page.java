// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;

/**
 * The page in which a packet moves through the picture of the packet path: one HTML text that needs
 * nothing else. Its Content-Security-Policy names the one script and the one style by their hashes,
 * so that nothing in a capture or a rule can become code.
 */
final class Page {
  private static final List<String> SCRIPTS =
      List.of(
          "elements.js",
          "steps.js",
          "diagram.js",
          "packets.js",
          "lists.js",
          "filter.js",
          "page.js",
          "served.js");

  private Page() {}

  /**
   * The page.
   *
   * @param contents what it shows, in JSON
   * @param asks it asks the server that it came from; else it asks nobody
   */
  static String html(String title, String contents, boolean asks) throws IOException {
    String style = part("page.css");
    StringBuilder script = new StringBuilder("\n");
    for (String name : SCRIPTS) {
      script.append(part(name));
    }
    String policy =
        "default-src 'none'; script-src "
            + hash(script.toString())
            + "; style-src "
            + hash(style)
            + (asks ? "; connect-src 'self'" : "")
            + "; base-uri 'none'; form-action 'none'";
    StringBuilder page = new StringBuilder();
    // Piece by piece, since a piece may contain what looks like the name of another.
    String rest = part("page.html");
    String[][] pieces = {
      {"@policy@", policy},
      {"@title@", title.replace("&", "&amp;").replace("<", "&lt;")},
      {"@style@", style},
      {"@contents@", contents.replace("<", "\\u003c")},
      {"@script@", script.toString()}
    };
    for (String[] piece : pieces) {
      int at = rest.indexOf(piece[0]);
      page.append(rest, 0, at).append(piece[1]);
      rest = rest.substring(at + piece[0].length());
    }
    return page.append(rest).toString();
  }

  private static String part(String name) throws IOException {
    try (InputStream in = Page.class.getResourceAsStream("page/" + name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static String hash(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return "'sha256-" + Base64.getEncoder().encodeToString(digest) + "'";
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}

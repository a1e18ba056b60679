// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/**
 * Reads a digraph as Graphviz's grammar has it (graphviz.org/doc/info/lang.html) and collects its
 * edges; what is not right is an error. Labels in {@code <...>} have to be XML.
 */
final class DotSyntax {
  private static final Pattern TOKEN =
      Pattern.compile(
          "\\s+|->|[{}\\[\\]=;,]|[A-Za-z_][A-Za-z_0-9]*|-?[0-9.]+|\"(?:[^\"\\\\]|\\\\.)*\"");

  /** {@code from -> to}, and the attributes as written. */
  record Edge(String from, String to, String attributes) {}

  final List<Edge> edges = new ArrayList<>();
  private final List<String> tokens = new ArrayList<>();
  private int at;

  DotSyntax(String text) {
    for (int i = 0; i < text.length(); ) {
      int end;
      if (text.charAt(i) == '<') {
        end = markup(text, i);
      } else {
        Matcher token = TOKEN.matcher(text).region(i, text.length());
        if (!token.lookingAt()) {
          throw new IllegalArgumentException("no token: " + text.substring(i).lines().findFirst());
        }
        end = token.end();
      }
      if (!text.substring(i, end).isBlank()) {
        tokens.add(text.substring(i, end));
      }
      i = end;
    }
    expect("digraph");
    identifier();
    block();
    if (at != tokens.size()) {
      throw new IllegalArgumentException("something behind the graph: " + tokens.get(at));
    }
  }

  /** The end of the markup that begins there. */
  private static int markup(String text, int start) {
    int depth = 0;
    int end = start;
    do {
      depth += text.charAt(end) == '<' ? 1 : text.charAt(end) == '>' ? -1 : 0;
      end++;
    } while (depth > 0);
    String xml = "<label>" + text.substring(start + 1, end - 1) + "</label>";
    try {
      DocumentBuilderFactory.newInstance()
          .newDocumentBuilder()
          .parse(new InputSource(new StringReader(xml)));
    } catch (SAXException | IOException | ParserConfigurationException e) {
      throw new IllegalArgumentException(xml, e);
    }
    return end;
  }

  private String next() {
    return tokens.get(at++);
  }

  private boolean is(String token) {
    return tokens.get(at).equals(token);
  }

  private void expect(String token) {
    if (!next().equals(token)) {
      throw new IllegalArgumentException(token + " expected, not " + tokens.get(at - 1));
    }
  }

  private String identifier() {
    String token = next();
    if (!token.matches("(?s)[A-Za-z_0-9.-]+|\".*\"|<.*>")) {
      throw new IllegalArgumentException("no identifier: " + token);
    }
    return token;
  }

  private void block() {
    expect("{");
    while (!is("}")) {
      statement();
      if (is(";")) {
        at++;
      }
    }
    at++;
  }

  private void statement() {
    if (is("{")) {
      block();
      return;
    }
    String name = identifier();
    if (name.equals("subgraph")) {
      identifier();
      block();
    } else if (is("=")) {
      at++;
      identifier();
    } else if (is("->")) {
      at++;
      String to = identifier();
      edges.add(new Edge(name, to, attributes()));
    } else {
      attributes();
    }
  }

  private String attributes() {
    if (!is("[")) {
      return "";
    }
    int start = at++;
    while (!is("]")) {
      identifier();
      expect("=");
      identifier();
      if (is(",")) {
        at++;
      }
    }
    at++;
    return String.join("", tokens.subList(start, at));
  }
}

// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.skbwalk.capture.CaptureException;
import io.skbwalk.capture.FilterException;
import io.skbwalk.lib.SourceException;
import java.io.IOException;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;

/**
 * Gives the page and its answers to browsers of this machine. It listens on the loopback address
 * alone; a page of another site that sends the browser here is told nothing, since Host must be
 * ours (against names that are made to point here) and Origin, where there is one, too.
 */
final class PageServer implements AutoCloseable {
  private static final int LARGEST_RULES = 8 << 20;

  /** Numbers of packets, and ranges of them. */
  private static final Pattern PACKETS = Pattern.compile("[0-9][-0-9,]{0,30000}");

  private final Served served;
  private final HttpServer server;

  /** One replay at a time. */
  private final ExecutorService worker = Executors.newSingleThreadExecutor();

  PageServer(Served served, int port) throws IOException {
    this.served = served;
    InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    server = HttpServer.create(new InetSocketAddress(loopback, port), 0);
    server.createContext("/", this::exchange);
    server.setExecutor(worker);
    server.start();
  }

  /** The page's address. */
  String address() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/";
  }

  private void exchange(HttpExchange exchange) throws IOException {
    try {
      answer(exchange);
    } catch (SourceException e) {
      refuse(exchange, 422, e.problem(), e);
    } catch (Unusable | FilterException | CaptureException e) {
      refuse(exchange, 422, e.getMessage(), null);
    } catch (IOException e) {
      // The browser went away; there is nobody to tell.
    } catch (RuntimeException e) {
      e.printStackTrace();
      refuse(exchange, 500, "this is a defect of skbwalk; its console says more", null);
    } finally {
      exchange.close();
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    if (!isOurs(exchange)) {
      refuse(exchange, 403, "only the page itself may ask, at " + address(), null);
      return;
    }
    String path = exchange.getRequestURI().getPath();
    String method = exchange.getRequestMethod();
    if (!method.equals(path.equals("/rules") ? "POST" : "GET")) {
      refuse(exchange, 405, method + " is not what " + path + " takes", null);
      return;
    }
    Map<String, String> query = query(exchange.getRequestURI().getRawQuery());
    switch (path) {
      case "/" -> {
        String page = Page.html("skbwalk", served.contents(), true);
        exchange.getResponseHeaders().set("X-Frame-Options", "DENY");
        send(exchange, 200, "text/html; charset=utf-8", page);
      }
      case "/replay" -> found(exchange, served.replay());
      case "/written" -> found(exchange, served.replayAsWritten());
      case "/packets" -> send(exchange, 200, "application/json", served.packets());
      case "/filter" -> found(exchange, served.filter(query.getOrDefault("expression", "")));
      case "/walks", "/page" -> {
        String packets = query.getOrDefault("packets", "");
        if (!PACKETS.matcher(packets).matches()) {
          found(exchange, null);
        } else if (path.equals("/walks")) {
          found(exchange, served.walks(packets));
        } else {
          String page = served.page(packets);
          exchange.getResponseHeaders().set("Content-Disposition", "attachment");
          send(exchange, 200, "text/html; charset=utf-8", page);
        }
      }
      case "/rules" -> {
        byte[] body = exchange.getRequestBody().readNBytes(LARGEST_RULES + 1);
        if (body.length > LARGEST_RULES) {
          refuse(exchange, 413, "rules of more than 8 MB are too many to edit here", null);
        } else {
          String text = new String(body, StandardCharsets.UTF_8);
          found(exchange, served.edit(query.getOrDefault("file", ""), text));
        }
      }
      default -> found(exchange, null);
    }
  }

  /** Does this come from our page, by our name? */
  private boolean isOurs(HttpExchange exchange) {
    Headers headers = exchange.getRequestHeaders();
    int port = server.getAddress().getPort();
    String host = headers.getFirst("Host");
    String origin = headers.getFirst("Origin");
    String site = headers.getFirst("Sec-Fetch-Site");
    boolean named = ("127.0.0.1:" + port).equals(host) || ("localhost:" + port).equals(host);
    boolean asked =
        origin == null
            ? exchange.getRequestMethod().equals("GET")
            : origin.equals("http://" + host);
    return named && asked && (site == null || site.equals("same-origin") || site.equals("none"));
  }

  private static Map<String, String> query(String raw) {
    Map<String, String> fields = new HashMap<>();
    if (raw != null) {
      for (String field : raw.split("&")) {
        int equals = field.indexOf('=');
        if (equals > 0) {
          try {
            fields.put(
                field.substring(0, equals),
                URLDecoder.decode(field.substring(equals + 1), StandardCharsets.UTF_8));
          } catch (IllegalArgumentException e) {
            // A broken escape names nothing.
          }
        }
      }
    }
    return fields;
  }

  private void found(HttpExchange exchange, String json) throws IOException {
    if (json == null) {
      refuse(exchange, 404, "there is nothing of that name", null);
    } else {
      send(exchange, 200, "application/json", json);
    }
  }

  /** Says what is wrong, and where when that is known. */
  private void refuse(HttpExchange exchange, int status, String problem, SourceException at)
      throws IOException {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
      json.writeStartObject();
      json.writeStringField("problem", problem);
      if (at != null) {
        json.writeStringField("file", at.position().file());
        json.writeNumberField("line", at.position().line());
        json.writeNumberField("column", at.position().column());
      }
      json.writeEndObject();
    }
    send(exchange, status, "application/json", text.toString());
  }

  private static void send(HttpExchange exchange, int status, String type, String text)
      throws IOException {
    send(exchange, status, type, text.getBytes(StandardCharsets.UTF_8));
  }

  private static void send(HttpExchange exchange, int status, String type, byte[] bytes)
      throws IOException {
    Headers headers = exchange.getResponseHeaders();
    headers.set("Content-Type", type);
    headers.set("Cache-Control", "no-store");
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("Referrer-Policy", "no-referrer");
    headers.set("Cross-Origin-Resource-Policy", "same-origin");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  @Override
  public void close() {
    server.stop(0);
    worker.shutdownNow();
  }
}

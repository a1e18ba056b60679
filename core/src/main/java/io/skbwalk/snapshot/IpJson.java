// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.snapshot;

import io.skbwalk.language.YamlValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An object of what {@code ip -j} prints: JSON, which is YAML. */
record IpJson(Map<String, YamlValue> fields) {
  /** The objects of a list; {@code ip} prints empty ones for what it has filtered. */
  static List<IpJson> list(String file, String text) {
    // All in one line, which the reader of YAML does not like when it is long.
    YamlValue root = YamlValue.parse(file, text.replace("},{", "},\n{"));
    return root == null ? List.of() : objects(root);
  }

  private static List<IpJson> objects(YamlValue list) {
    List<IpJson> objects = new ArrayList<>();
    for (YamlValue element : list.list()) {
      IpJson object = object(element);
      if (!object.fields.isEmpty()) {
        objects.add(object);
      }
    }
    return objects;
  }

  private static IpJson object(YamlValue value) {
    Map<String, YamlValue> fields = new LinkedHashMap<>();
    value.entries().forEach((key, one) -> fields.put(key.text(), one));
    return new IpJson(fields);
  }

  boolean has(String key) {
    return fields.containsKey(key);
  }

  /** The text of {@code key}, or null. */
  String text(String key) {
    return has(key) ? fields.get(key).text() : null;
  }

  String text(String key, String otherwise) {
    return has(key) ? text(key) : otherwise;
  }

  /** A number of 32 bits without a sign. */
  int number(String key, int otherwise) {
    return has(key) ? (int) fields.get(key).number(0, 0xFFFFFFFFL) : otherwise;
  }

  /** Is {@code word} in the list {@code key}? */
  boolean lists(String key, String word) {
    return has(key) && fields.get(key).list().stream().anyMatch(one -> one.text().equals(word));
  }

  /** The objects in the list {@code key}. */
  List<IpJson> objects(String key) {
    return has(key) ? objects(fields.get(key)) : List.of();
  }

  /** The object {@code key}; one without fields when it is not there. */
  IpJson object(String key) {
    return has(key) ? object(fields.get(key)) : new IpJson(Map.of());
  }
}

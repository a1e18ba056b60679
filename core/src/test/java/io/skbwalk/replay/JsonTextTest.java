// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.skbwalk.lib.Iso8601;
import io.skbwalk.trace.TraceEvent;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.RecordComponent;
import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written by hand for speed is what a library would write. */
class JsonTextTest {
  /** Seconds from 1900 to 2200. */
  private static final long FIRST = -2_208_988_800L;

  private static final long LAST = 7_258_118_400L;

  private interface Written {
    void to(JsonGenerator json) throws IOException;
  }

  private static String jackson(Written written) throws IOException {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
      written.to(json);
    }
    return text.toString();
  }

  @Test
  void escapesAsJacksonDoes() throws IOException {
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      int[] characters = new int[random.nextInt(40)];
      int highest = new int[] {0x7f, 0x7f, 0xff, 0xd7ff, 0x10ffff}[random.nextInt(5)];
      Arrays.setAll(
          characters,
          at -> {
            int one = random.nextInt(highest + 1);
            // Half a surrogate is no character.
            return one >= 0xd800 && one < 0xe000 ? '"' : one;
          });
      String value = new String(characters, 0, characters.length);
      long number = random.nextLong() >> random.nextInt(64);
      boolean truth = random.nextBoolean();
      JsonText ours = new JsonText().beginObject().field("a", value).field("b", number);
      ours.field("c", truth).beginArray("d").add(value).add("").endArray().endObject();
      String theirs =
          jackson(
              json -> {
                json.writeStartObject();
                json.writeStringField("a", value);
                json.writeNumberField("b", number);
                json.writeBooleanField("c", truth);
                json.writeArrayFieldStart("d");
                json.writeString(value);
                json.writeString("");
                json.writeEndArray();
                json.writeEndObject();
              });
      assertEquals(theirs, ours.toString());
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 9, 10, 99, 100, Long.MAX_VALUE, -1, Long.MIN_VALUE})
  void writesNumbers(long number) {
    JsonText json = new JsonText().beginObject().field("n", number).endObject();
    assertEquals("{\"n\":" + number + "}", json.toString());
  }

  @Test
  void growsWithWhatItHolds() {
    String value = "x".repeat(70_000);
    JsonText json = new JsonText().beginArray().add(value).add(value).endArray();
    assertEquals("[\"" + value + "\",\"" + value + "\"]", json.toString());
  }

  @Test
  void tellsTimesAsTheLibraryDoes() {
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      long second = FIRST + random.nextLong(LAST - FIRST);
      int nano = random.nextInt(1_000_000_000);
      String text = Instant.ofEpochSecond(second).toString().replace("Z", "");
      assertEquals(
          text + String.format(".%09dZ", nano), Iso8601.text(second * 1_000_000_000L + nano));
    }
  }

  /** The schema has the components of every record; so has what is written. */
  @Test
  void writesEveryStepWithItsComponents() throws Exception {
    for (Class<?> type : TraceEvent.class.getPermittedSubclasses()) {
      RecordComponent[] components = type.getRecordComponents();
      Class<?>[] types = new Class<?>[components.length];
      Object[] values = new Object[components.length];
      for (int i = 0; i < components.length; i++) {
        types[i] = components[i].getType();
        values[i] =
            types[i] == int.class
                ? (Object) (700 + i)
                : types[i] == long.class
                    ? (Object) (800L + i)
                    : types[i] == boolean.class ? (Object) true : components[i].getName() + "?";
      }
      var constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      TraceEvent event = (TraceEvent) constructor.newInstance(values);
      JsonText ours = new JsonText();
      WalkSteps steps = new WalkSteps(ours);
      String theirs = jackson(json -> reflected(json, type, components, values));
      steps.write(event);
      assertEquals(theirs, ours.toString());
      ours.endLine();
      steps.write(event);
      assertEquals(theirs + "\n" + theirs, ours.toString(), "when it comes again");
    }
  }

  private static void reflected(
      JsonGenerator json, Class<?> type, RecordComponent[] components, Object[] values)
      throws IOException {
    String name = type.getSimpleName();
    json.writeStartObject();
    json.writeStringField("type", Character.toLowerCase(name.charAt(0)) + name.substring(1));
    for (int i = 0; i < values.length; i++) {
      String field = components[i].getName();
      if (values[i] instanceof Boolean bool) {
        json.writeBooleanField(field, bool);
      } else if (values[i] instanceof Number number && !field.equals("time")) {
        json.writeNumberField(field, number.longValue());
      } else if (values[i] instanceof Number number) {
        json.writeStringField(field, Iso8601.text(number.longValue()));
      } else {
        json.writeStringField(field, (String) values[i]);
      }
    }
    json.writeEndObject();
  }
}

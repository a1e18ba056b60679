// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.skbwalk.capture.CaptureMerger;
import io.skbwalk.capture.CaptureReader;
import io.skbwalk.host.Host;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.RulesFile;
import io.skbwalk.trace.TraceEvent;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WalkSchemaTest {
  private static final Path SCHEMA = Path.of("../docs/walk.schema.json");

  @ParameterizedTest
  @CsvSource({
    "nat-router.pcapng, router.yaml, nat-router.yaml, STACK",
    "nat-router.pcapng, router.yaml, lab.yaml, STACK",
    "portscan.pcap, web.yaml, web-server.yaml, CAPTURE",
    "fragments.pcap, web.yaml, bastion.yaml, STACK",
    "vlan.pcap, trunk.yaml, traffic-classes.yaml, STACK",
  })
  void holdsForTheSamples(String capture, String host, String rules, Replay.Answers answers)
      throws IOException {
    Schema schema =
        SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
            .getSchema(Files.readString(SCHEMA));
    StringWriter out = new StringWriter();
    try (CaptureReader reader = CaptureReader.open(Path.of("../pcaps", capture));
        CaptureMerger merger = new CaptureMerger(List.of(reader))) {
      merger.peek();
      Host machine =
          new Host(
              HostFile.parse(host, Files.readString(Path.of("../config", host))).description(),
              RulesFile.parse(rules, Files.readString(Path.of("../rules", rules))),
              merger.firstTime(0),
              1);
      Replay replay = new Replay(machine, true, answers, null, new Everything());
      replay.add(WalkLines.to("-", out, false));
      replay.run(merger, Collections.singletonList(null));
      replay.finish();
      assertEquals(replay.totals.frames, out.toString().lines().count());
    }
    out.toString()
        .lines()
        .forEach(
            line -> assertEquals(List.of(), schema.validate(line, InputFormat.JSON), () -> line));
  }

  private static final class Everything implements Replay.Walks {
    @Override
    public boolean wanted(FrameRecord record) {
      return true;
    }

    @Override
    public boolean misses() {
      return true;
    }
  }

  @Test
  void descriptionsAreSentences() throws IOException {
    JsonNode schema = new ObjectMapper().readTree(SCHEMA.toFile());
    for (String description : schema.findValuesAsText("description")) {
      assertTrue(description.matches("[^\\n{}*]+"), description);
    }
  }

  @Test
  void hasEveryStepWithItsFields() throws IOException {
    JsonNode schema = new ObjectMapper().readTree(SCHEMA.toFile());
    Map<String, List<String>> inSchema = new TreeMap<>();
    for (JsonNode step : schema.at("/properties/steps/items/oneOf")) {
      List<String> fields = new ArrayList<>();
      step.get("properties").fieldNames().forEachRemaining(fields::add);
      assertTrue(fields.remove("type"));
      inSchema.put(step.at("/properties/type/const").asText(), fields);
    }
    Map<String, List<String>> inCode = new TreeMap<>();
    for (Class<?> event : TraceEvent.class.getPermittedSubclasses()) {
      String name = event.getSimpleName();
      List<String> fields = new ArrayList<>();
      for (RecordComponent component : event.getRecordComponents()) {
        fields.add(component.getName());
      }
      inCode.put(Character.toLowerCase(name.charAt(0)) + name.substring(1), fields);
    }
    assertEquals(inCode, inSchema);
  }
}

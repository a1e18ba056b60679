// SPDX-License-Identifier: Apache-2.0

package io.skbwalk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitCallTarget;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

/** The packages are layers, arrows point down only, and time and chance come from the clock. */
class LayersTest {
  private static final String ROOT = "io.skbwalk.";

  /** From the bottom up; a package that is not here belongs to the longest one that it is in. */
  private static final List<String> UPWARDS =
      List.of(
          "trace",
          "lib",
          "kernel",
          "skb",
          "device",
          "netfilter",
          "netfilter.conntrack",
          "netfilter.nat",
          "netfilter.synproxy",
          "netfilter.ipset",
          "netfilter.flow",
          "netfilter.tables",
          "ipv4.route",
          "ipv4",
          "transport",
          "host",
          "capture",
          "language",
          "replay",
          "experiment",
          "lint",
          "snapshot",
          "diff");

  /** A layer that not everything above it may use, and who may. */
  private static final Map<String, Set<String>> ONLY_FOR = Map.of("capture", Set.of("replay"));

  /** Calls whose answer differs from run to run, as {@code Class.method}. */
  private static final Set<String> DIFFERENT_EVERY_TIME =
      Set.of(
          "java.lang.System.currentTimeMillis",
          "java.lang.System.nanoTime",
          "java.lang.System.identityHashCode",
          "java.lang.Math.random",
          "java.lang.StrictMath.random",
          "java.time.Instant.now",
          "java.time.LocalDate.now",
          "java.time.LocalTime.now",
          "java.time.LocalDateTime.now",
          "java.time.ZonedDateTime.now",
          "java.time.OffsetDateTime.now",
          "java.time.Clock.systemUTC",
          "java.time.Clock.systemDefaultZone",
          "java.time.Clock.system",
          "java.util.UUID.randomUUID",
          "java.util.Collections.shuffle(java.util.List)",
          "java.util.Date.<init>()",
          "java.util.Random.<init>()",
          "java.util.SplittableRandom.<init>()",
          "java.util.concurrent.ThreadLocalRandom.current",
          "java.security.SecureRandom.<init>()");

  private static final JavaClasses MAIN =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.skbwalk");

  @Test
  void everyPackageHasItsLayer() {
    ArchRuleDefinition.classes()
        .should(
            new ArchCondition<JavaClass>("be in a package of the design") {
              @Override
              public void check(JavaClass one, ConditionEvents events) {
                events.add(
                    new SimpleConditionEvent(
                        one,
                        layer(one, UPWARDS) != null,
                        one.getName() + " is in no layer of this test's list"));
              }
            })
        .check(MAIN);
  }

  @Test
  void arrowsPointDownOnly() {
    pointDown(UPWARDS).check(MAIN);
  }

  @Test
  void anArrowThatPointsUpIsFound() {
    List<String> downwards = new ArrayList<>(UPWARDS);
    Collections.reverse(downwards);
    assertTrue(pointDown(downwards).evaluate(MAIN).hasViolation());
  }

  @Test
  void timeAndChanceComeFromTheClock() {
    sameEveryTime().check(MAIN);
  }

  @Test
  void aCallThatDiffersEveryTimeIsFound() {
    int found =
        sameEveryTime()
            .evaluate(new ClassFileImporter().importClasses(Different.class))
            .getFailureReport()
            .getDetails()
            .size();
    assertEquals(5, found);
    assertFalse(
        sameEveryTime()
            .evaluate(new ClassFileImporter().importClasses(Seeded.class))
            .hasViolation());
  }

  private static ArchRule pointDown(List<String> upwards) {
    return ArchRuleDefinition.classes()
        .should(
            new ArchCondition<JavaClass>("use what is below only") {
              @Override
              public void check(JavaClass one, ConditionEvents events) {
                for (Dependency arrow : one.getDirectDependenciesFromSelf()) {
                  String from = layer(one, upwards);
                  String to = layer(arrow.getTargetClass().getBaseComponentType(), upwards);
                  boolean allowed =
                      to == null
                          || from == null
                          || from.equals(to)
                          || (upwards.indexOf(from) > upwards.indexOf(to)
                              && ONLY_FOR.getOrDefault(to, Set.of(from)).contains(from));
                  events.add(new SimpleConditionEvent(arrow, allowed, arrow.getDescription()));
                }
              }
            });
  }

  private static ArchRule sameEveryTime() {
    return ArchRuleDefinition.noClasses()
        .should()
        .callCodeUnitWhere(
            DescribedPredicate.describe(
                "the answer differs from run to run", call -> differs(call.getTarget())));
  }

  private static boolean differs(CodeUnitCallTarget called) {
    String name = called.getOwner().getName() + "." + called.getName();
    String arguments =
        String.join(",", called.getRawParameterTypes().stream().map(JavaClass::getName).toList());
    return DIFFERENT_EVERY_TIME.contains(name)
        || DIFFERENT_EVERY_TIME.contains(name + "(" + arguments + ")");
  }

  /** The longest entry that the class's package is in, or null outside the project. */
  private static String layer(JavaClass one, List<String> layers) {
    String best = null;
    for (String candidate : layers) {
      if ((one.getPackageName() + ".").startsWith(ROOT + candidate + ".")
          && (best == null || candidate.length() > best.length())) {
        best = candidate;
      }
    }
    return best;
  }

  private static final class Different {
    long all() {
      return System.currentTimeMillis()
          + System.nanoTime()
          + Instant.now().getNano()
          + new Random().nextLong()
          + ThreadLocalRandom.current().nextLong();
    }
  }

  private static final class Seeded {
    long all() {
      return new Random(1).nextLong() + Instant.EPOCH.getNano();
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.lib.Spelling;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.reader.ReaderException;

/**
 * A piece of a YAML file that knows where it stands. Reading it as the wrong thing is a {@link
 * SourceException} at that place. No Java object is ever constructed from a file: only the parsed
 * nodes are read.
 */
public final class YamlValue {
  /** Aliases and nesting that no honest file needs, and no hostile one gets. */
  private static final int MAX_ALIASES = 50;

  private static final int MAX_NESTING = 50;
  private static final int MAX_CODE_POINTS = 64 * 1024 * 1024;

  /** The scanner's time grows with the square of a line. */
  private static final int MAX_LINE = 512 * 1024;

  /** A name that each case of an experiment has a value for. */
  private static final Pattern CASE_NAME = Pattern.compile("\\$\\{([^}]*)\\}");

  private final String file;
  private final String source;
  private final Node node;

  private YamlValue(String file, String source, Node node) {
    this.file = file;
    this.source = source;
    this.node = node;
  }

  /** The one document in {@code text}; an empty one is null. */
  public static YamlValue parse(String file, String text) {
    refuseLongLines(file, text);
    LoaderOptions options = new LoaderOptions();
    options.setMaxAliasesForCollections(MAX_ALIASES);
    options.setNestingDepthLimit(MAX_NESTING);
    options.setCodePointLimit(MAX_CODE_POINTS);
    options.setAllowDuplicateKeys(false);
    try {
      Node node = new Yaml(new SafeConstructor(options)).compose(new StringReader(text));
      if (node != null) {
        refuseCycles(file, node, new IdentityHashMap<>());
      }
      return node == null ? null : new YamlValue(file, text, node);
    } catch (MarkedYAMLException e) {
      Mark mark = e.getProblemMark() == null ? e.getContextMark() : e.getProblemMark();
      String problem = e.getProblem() == null ? e.getContext() : e.getProblem();
      throw new SourceException(position(file, mark), "not YAML: " + firstLine(problem));
    } catch (ReaderException e) {
      throw new SourceException(
          position(text, file, e.getPosition()),
          String.format("not YAML: the character U+%04X is not allowed", e.getCodePoint()));
    } catch (YAMLException e) {
      throw new SourceException(
          new SourcePosition(file, 0, 0), "not YAML: " + firstLine(e.getMessage()));
    }
  }

  /** An alias may stand inside what it names: whoever follows it never ends. */
  private static void refuseCycles(String file, Node node, Map<Node, Boolean> done) {
    if (node instanceof ScalarNode || Boolean.TRUE.equals(done.get(node))) {
      return;
    }
    if (done.put(node, false) != null) {
      throw new SourceException(
          position(file, node.getStartMark()), "not YAML as it is needed here: it contains itself");
    }
    if (node instanceof SequenceNode sequence) {
      sequence.getValue().forEach(one -> refuseCycles(file, one, done));
    } else if (node instanceof MappingNode mapping) {
      for (NodeTuple tuple : mapping.getValue()) {
        refuseCycles(file, tuple.getKeyNode(), done);
        refuseCycles(file, tuple.getValueNode(), done);
      }
    }
    done.put(node, true);
  }

  private static void refuseLongLines(String file, String text) {
    int line = 1;
    for (int start = 0; start < text.length(); line++) {
      int end = text.indexOf('\n', start);
      end = end < 0 ? text.length() : end;
      if (end - start > MAX_LINE) {
        throw new SourceException(
            new SourcePosition(file, line, 1), "a line has at most " + MAX_LINE + " characters");
      }
      start = end + 1;
    }
  }

  private static String firstLine(String message) {
    return String.valueOf(message).lines().findFirst().orElse("");
  }

  /** The place of the code point number {@code index}. */
  private static SourcePosition position(String text, String file, int index) {
    int end = text.offsetByCodePoints(0, Math.min(index, text.codePointCount(0, text.length())));
    int line = 1;
    int start = 0;
    for (int at = text.indexOf('\n'); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) {
      line++;
      start = at + 1;
    }
    return new SourcePosition(file, line, text.codePointCount(start, end) + 1);
  }

  private static SourcePosition position(String file, Mark mark) {
    return mark == null
        ? new SourcePosition(file, 0, 0)
        : new SourcePosition(file, mark.getLine() + 1, mark.getColumn() + 1);
  }

  /** Where it begins. */
  public SourcePosition position() {
    return position(file, node.getStartMark());
  }

  /**
   * Where character {@code offset} of a scalar stands, as far as one line of source holds it
   * unescaped; else where the scalar begins.
   */
  SourcePosition positionAt(int offset) {
    SourcePosition start = position();
    Mark end = node.getEndMark();
    if (!(node instanceof ScalarNode scalar) || end.getLine() + 1 != start.line()) {
      return start;
    }
    int quotes = scalar.isPlain() ? 0 : 2;
    if (end.getColumn() + 1 - start.column() - quotes != scalar.getValue().length()) {
      return start;
    }
    return new SourcePosition(file, start.line(), start.column() + quotes / 2 + offset);
  }

  /** An error here. */
  public SourceException error(String problem) {
    return new SourceException(position(), problem);
  }

  /** The error that this key is none of {@code known}; names the nearest one. */
  SourceException unknown(String what, List<String> known) {
    String key = text();
    String near = Spelling.nearest(key, known);
    return error(
        "unknown key \""
            + key
            + "\" in "
            + what
            + (near == null ? ";" : "; did you mean " + near + "?")
            + (known.isEmpty() ? " it has none" : " known: " + String.join(", ", known)));
  }

  public boolean isMap() {
    return node instanceof MappingNode;
  }

  public boolean isList() {
    return node instanceof SequenceNode;
  }

  public boolean isScalar() {
    return node instanceof ScalarNode;
  }

  /**
   * True for a scalar without quotes that YAML reads as nothing ({@code ~}, {@code null}, empty).
   */
  public boolean isNull() {
    return node.getTag().equals(Tag.NULL);
  }

  /** The scalar as it is written, quotes removed. */
  public String text() {
    if (node instanceof ScalarNode scalar) {
      return scalar.getValue();
    }
    throw error("expected a single value, found a " + (isMap() ? "mapping" : "list"));
  }

  /**
   * The scalar with as many line ends before it as there are in the file, so that what reads it
   * finds its lines where they are. A block ({@code |}) keeps its indentation, too.
   */
  public String textInPlace() {
    String text = text();
    if (!(node instanceof ScalarNode scalar)
        || scalar.getScalarStyle() != DumperOptions.ScalarStyle.LITERAL) {
      return "\n".repeat(position().line() - 1) + text;
    }
    int first = position().line();
    List<String> there = source.lines().skip(first).limit(text.lines().count()).toList();
    StringBuilder placed = new StringBuilder("\n".repeat(first));
    int number = 0;
    for (String line : text.lines().toList()) {
      String whole = there.get(number++);
      placed.append(line.isEmpty() || !whole.endsWith(line) ? line : whole).append('\n');
    }
    return placed.toString();
  }

  /** The scalar as a whole number from {@code min} to {@code max}; 0x and 0 prefixes as in C. */
  public long number(long min, long max) {
    String text = text();
    long value;
    try {
      value = Long.decode(text);
    } catch (NumberFormatException e) {
      throw error("expected a number from " + min + " to " + max + ", found \"" + text + "\"");
    }
    if (value < min || value > max) {
      throw error("expected a number from " + min + " to " + max + ", found " + value);
    }
    return value;
  }

  /** The scalar as a duration such as 1.5s or 250ms; nanoseconds. */
  public long nanos() {
    return parsed(PacketReader::nanos);
  }

  /** The scalar as true or false. */
  public boolean bool() {
    switch (text()) {
      case "true", "yes", "on":
        return true;
      case "false", "no", "off":
        return false;
      default:
        throw error("expected true or false, found \"" + text() + "\"");
    }
  }

  /** The scalar through {@code parser}, whose IllegalArgumentException becomes an error here. */
  public <T> T parsed(Function<String, T> parser) {
    try {
      return parser.apply(text());
    } catch (IllegalArgumentException e) {
      throw error(e.getMessage());
    }
  }

  /** The elements of a list. */
  public List<YamlValue> list() {
    if (!(node instanceof SequenceNode sequence)) {
      throw error("expected a list (- item, or [item, item])");
    }
    List<YamlValue> values = new ArrayList<>();
    for (Node element : sequence.getValue()) {
      values.add(new YamlValue(file, source, element));
    }
    return values;
  }

  /** The entries of a mapping, keys and values with their places, in order. */
  public Map<YamlValue, YamlValue> entries() {
    if (!(node instanceof MappingNode mapping)) {
      throw error("expected a mapping (key: value)");
    }
    Map<YamlValue, YamlValue> values = new LinkedHashMap<>();
    Map<String, YamlValue> seen = new LinkedHashMap<>();
    for (NodeTuple tuple : mapping.getValue()) {
      YamlValue key = new YamlValue(file, source, tuple.getKeyNode());
      YamlValue before = seen.put(key.text(), key);
      if (before != null) {
        throw key.error(
            "the key " + key.text() + " is there already, in line " + before.position().line());
      }
      values.put(key, new YamlValue(file, source, tuple.getValueNode()));
    }
    return values;
  }

  /** The mapping's values by key, every key being one of {@code known}. */
  public Fields fields(String what, String... known) {
    Map<String, YamlValue> values = new LinkedHashMap<>();
    for (Map.Entry<YamlValue, YamlValue> entry : entries().entrySet()) {
      String key = entry.getKey().text();
      if (!List.of(known).contains(key)) {
        throw entry.getKey().unknown(what, List.of(known));
      }
      values.put(key, entry.getValue());
    }
    return new Fields(this, what, values);
  }

  // ---- cases ------------------------------------------------------------------------------------

  /**
   * This with {@code ${name}} replaced, wherever it stands, by the value of that name; where it is
   * all of a scalar, the value may be a list or a mapping.
   *
   * @throws SourceException at a name that has no value
   */
  YamlValue filledIn(Map<String, YamlValue> values) {
    return new YamlValue(file, source, filledIn(node, values));
  }

  private YamlValue without(String key) {
    MappingNode mapping = (MappingNode) node;
    List<NodeTuple> tuples = new ArrayList<>(mapping.getValue());
    tuples.removeIf(
        tuple -> tuple.getKeyNode() instanceof ScalarNode name && name.getValue().equals(key));
    return new YamlValue(
        file,
        source,
        new MappingNode(
            mapping.getTag(),
            true,
            tuples,
            mapping.getStartMark(),
            mapping.getEndMark(),
            mapping.getFlowStyle()));
  }

  private Node filledIn(Node template, Map<String, YamlValue> values) {
    if (template instanceof ScalarNode scalar) {
      return filledIn(scalar, values);
    }
    Mark start = template.getStartMark();
    Mark end = template.getEndMark();
    if (template instanceof SequenceNode sequence) {
      List<Node> elements = new ArrayList<>();
      sequence.getValue().forEach(element -> elements.add(filledIn(element, values)));
      return new SequenceNode(
          sequence.getTag(), true, elements, start, end, sequence.getFlowStyle());
    }
    MappingNode mapping = (MappingNode) template;
    List<NodeTuple> tuples = new ArrayList<>();
    for (NodeTuple tuple : mapping.getValue()) {
      tuples.add(
          new NodeTuple(
              filledIn(tuple.getKeyNode(), values), filledIn(tuple.getValueNode(), values)));
    }
    return new MappingNode(mapping.getTag(), true, tuples, start, end, mapping.getFlowStyle());
  }

  private Node filledIn(ScalarNode scalar, Map<String, YamlValue> values) {
    Matcher name = CASE_NAME.matcher(scalar.getValue());
    StringBuilder text = new StringBuilder();
    boolean any = false;
    while (name.find()) {
      YamlValue value = values.get(name.group(1));
      YamlValue here = new YamlValue(file, source, scalar);
      if (value == null) {
        throw here.error(
            "the case has no value for "
                + name.group(1)
                + Spelling.hint(name.group(1), values.keySet())
                + "; it has "
                + String.join(", ", values.keySet()));
      }
      if (name.group().equals(scalar.getValue())) {
        return value.node;
      }
      if (!value.isScalar()) {
        throw here.error(
            "the value of " + name.group(1) + " is no text, so nothing else can stand around it");
      }
      any = true;
      name.appendReplacement(text, Matcher.quoteReplacement(value.text()));
    }
    if (!any) {
      return scalar;
    }
    return new ScalarNode(
        Tag.STR,
        name.appendTail(text).toString(),
        scalar.getStartMark(),
        scalar.getEndMark(),
        scalar.getScalarStyle());
  }

  /** The values of a mapping whose keys are known. */
  public record Fields(YamlValue owner, String what, Map<String, YamlValue> values) {
    /** The value of {@code key}, or null when it is not there or null. */
    public YamlValue get(String key) {
      YamlValue value = values.get(key);
      return value == null || value.isNull() ? null : value;
    }

    /** The value of {@code key}, which must be there. */
    public YamlValue require(String key) {
      YamlValue value = get(key);
      if (value == null) {
        throw owner.error(what + " needs the key \"" + key + "\"");
      }
      return value;
    }

    public String text(String key, String otherwise) {
      return get(key) == null ? otherwise : get(key).text();
    }

    public long number(String key, long min, long max, long otherwise) {
      return get(key) == null ? otherwise : get(key).number(min, max);
    }

    public boolean bool(String key, boolean otherwise) {
      return get(key) == null ? otherwise : get(key).bool();
    }

    /** The whole mapping but for {@code key}. */
    YamlValue without(String key) {
      return owner.without(key);
    }

    /** The list under {@code key}; empty when it is not there. */
    public List<YamlValue> list(String key) {
      return get(key) == null ? List.of() : get(key).list();
    }
  }
}

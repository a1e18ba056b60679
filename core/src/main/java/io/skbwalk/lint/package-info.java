/**
 * What a rule set can be told about itself before any packet comes: rules that can never match,
 * rules that change nothing, and what looks like a firewall but is none. Sets of packets are exact
 * where the rules are understood and wider than the truth everywhere else, so that "never" is never
 * wrong.
 */
package io.skbwalk.lint;

// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Lines of IRC and the connection that Linux expects after them. */
class IrcOfferTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '~',
      value = {
        // 3232237314 is 192.168.7.2; a line, its ^ for CR LF and {1} for a byte
        "PRIVMSG b :{1}DCC SEND f 3232237314 5000 10{1}^; tcp/192.168.7.2:5000",
        "PRIVMSG b :{1}DCC CHAT chat 3232237314 5000{1}^; tcp/192.168.7.2:5000",
        "PRIVMSG b :{1}DCC MOVE f 3232237314 5000 10{1}^; tcp/192.168.7.2:5000",
        "PRIVMSG b :{1}DCC TSEND f 3232237314 5000 10{1}^; tcp/192.168.7.2:5000",
        "PRIVMSG b :{1}DCC SCHAT chat 3232237314 5000{1}^; tcp/192.168.7.2:5000",
        "PRIVMSG b :{1}DCC RESUME f 3232237314 5000 10{1}^; nothing",
        "privmsg b :{1}DCC SEND f 3232237314 5000 10{1}^; tcp/192.168.7.2:5000",
        "PRIVMSG b :{1}dcc SEND f 3232237314 5000 10{1}^; nothing",
        "PRIVMSG b :{1}DCC send f 3232237314 5000 10{1}^; nothing",
        "NOTICE b :{1}DCC SEND f 3232237314 5000 10{1}^; nothing",
        "^ ^PRIVMSG b :{1}DCC SEND f 3232237314 5000 10{1}^; tcp/192.168.7.2:5000",
        "JOIN #a^PRIVMSG b :{1}DCC SEND f 3232237314 5000 10{1}^; nothing",
        // Only the first text of a message, and at its very beginning.
        "PRIVMSG b :see :{1}DCC SEND f 3232237314 5000 10{1}^; nothing",
        "PRIVMSG b : {1}DCC SEND f 3232237314 5000 10{1}^; nothing",
        // A name with a blank: the address is looked for in its second half.
        "PRIVMSG b :{1}DCC SEND a b 3232237314 5000 10{1}^; nothing",
        "PRIVMSG b :{1}DCC SEND f  3232237314 5000 10{1}^; nothing",
        "PRIVMSG b :{1}DCC SEND f 3232237314   5000 10{1}^; tcp/192.168.7.2:5000",
        "PRIVMSG b :{1}DCC SEND f 3232237314x5000 10{1}^; nothing",
        // Numbers spill over.
        "PRIVMSG b :{1}DCC SEND f 7527204610 5000 10{1}^; tcp/192.168.7.2:5000",
        "PRIVMSG b :{1}DCC SEND f 3232237314 70536 10{1}^; tcp/192.168.7.2:5000",
        "PRIVMSG b :{1}DCC SEND f 3232237314 65536 10{1}^; nothing",
        "PRIVMSG b :{1}DCC SEND f 3232237314 -5 10{1}^; nothing",
        // Somebody else's address is forged.
        "PRIVMSG b :{1}DCC SEND f 3232237315 5000 10{1}^; nothing",
        "PRIVMSG b :{1}DCC SEND f 192.168.7.2 5000 10{1}^; nothing",
        // Cut short.
        "PRIVMSG b :{1}DCC SEND f 3232237314 5000 10{1}{d}; nothing",
        "PRIVMSG b :{1}DCC SEND f 3232237314 5000 10; nothing",
        "PRIVMSG b :{1}DCC SEND f 3232237314 5000{a}; tcp/192.168.7.2:5000",
        "PRIVMSG b :{1}DCC SEND f 3232237314{a}5000 ; nothing",
        "PRIVMSG b :{1}DCC SEND f^; nothing",
        "PRIVMSG b :{1}DCC SEND longerthanthatis^; nothing",
        "PRIVMSG; nothing",
      })
  void expects(String line, String expected) {
    assertEquals(expected, new Overheard("irc", "tcp", 6667).after(true, Overheard.bytes(line)));
  }

  @Test
  void serversOfferNothing() {
    byte[] offer = Overheard.bytes("PRIVMSG b :{1}DCC SEND f 3325256705 5000 10{1}^");
    assertEquals("nothing", new Overheard("irc", "tcp", 6667).after(false, offer));
  }

  @Test
  void whatLiesFarBackIsNotLookedAt() {
    String offer = "PRIVMSG %s :{1}DCC SEND f 3232237314 5000 10{1}^";
    // With the line end 4095 bytes, and one more.
    byte[] reaches = Overheard.bytes(offer.formatted("b".repeat(4095 - 43)));
    byte[] beyond = Overheard.bytes(offer.formatted("b".repeat(4096 - 43)));
    assertEquals(4095, reaches.length);
    assertEquals("tcp/192.168.7.2:5000", new Overheard("irc", "tcp", 6667).after(true, reaches));
    assertEquals("nothing", new Overheard("irc", "tcp", 6667).after(true, beyond));
  }
}

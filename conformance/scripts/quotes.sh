#!/bin/sh
iptables -A INPUT -m comment --comment single\ word
iptables -A INPUT -m comment --comment 'single "quotes" \ and $VARIABLES `stay`'
iptables -A INPUT -m comment --comment "double 'quotes' \\ \$x \"q\" \`c\` \n"
iptables -A INPUT -m comment --comment to'get'"her"'' # and a comment
iptables -A INPUT -m comment --comment no#comment
iptables -A INPUT -m comment --comment "contin\
ued" -j \
  ACCEPT; iptables -A INPUT -m comment \
  --comment ';' -j DROP;iptables -A INPUT -j "DROP"

	iptables	-A	INPUT	-m comment --comment ""	-j	RETURN
iptables -A INPUT -m comment --comment 'für ☎'
iptables -A INPUT ! -s 10.0.0.0/8 \! -d 192.0.2.1 -m comment --comment '!'

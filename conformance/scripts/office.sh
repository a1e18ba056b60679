#!/bin/sh
# A small office: one line outside (eth0), the office inside (eth1).
set -e

iptables -F; iptables -X
iptables -t nat -F; iptables -t nat -X

iptables -P INPUT DROP
iptables -P FORWARD DROP
iptables -P OUTPUT ACCEPT

iptables -N log-and-drop
iptables -A log-and-drop -m limit --limit 6/min --limit-burst 10 \
         -j LOG --log-prefix "refused: " --log-level info
iptables -A log-and-drop -j DROP

iptables -A INPUT -i lo -j ACCEPT
iptables -A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT
iptables -A INPUT -p tcp --syn --dport ssh -s 192.168.7.0/24,198.51.100.7 -j ACCEPT
iptables -A INPUT -p icmp --icmp-type echo-request -m limit --limit 1/s -j ACCEPT
iptables -A INPUT -j log-and-drop

iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -A FORWARD -i eth1 -o eth0 ! -d 10.0.0.0/8 -j ACCEPT
iptables -A FORWARD -i eth0 -p tcp -d 192.168.7.80 -m multiport --dports http,https -j ACCEPT
iptables -A FORWARD -j log-and-drop

iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE
iptables -t nat -A PREROUTING -i eth0 -p tcp --dport 8080 -j DNAT --to 192.168.7.80:80
iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu

iptables -nvL
iptables -t nat -S POSTROUTING

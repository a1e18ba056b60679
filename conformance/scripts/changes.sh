# What commands do to rules that are there already.
iptables -N a
iptables -N b
iptables --new-chain spare
iptables -A INPUT -j a
iptables -A INPUT -s 192.0.2.1 -g b
iptables -I INPUT -i lo -j ACCEPT
iptables -I INPUT 3 -p udp -j ACCEPT
iptables -I INPUT 2 -s 198.51.100.1,198.51.100.2,198.51.100.3 -j DROP
iptables -A a -p tcp --dport 1:1023 -j RETURN
iptables -A a -c 5 300 -j DROP
iptables -R a 1 -p tcp --dport 1024: -j RETURN
iptables -D INPUT 4
iptables -D INPUT --protocol 17 -j ACCEPT
iptables -C INPUT -s 192.0.2.1/32 -g b
iptables -E a "first-chain"
iptables --rename-chain b second
iptables -X spare
iptables -P OUTPUT DROP
iptables -t raw -P PREROUTING DROP -c 7 420
iptables -t raw -A OUTPUT -c 1 2 -j ACCEPT
iptables -t raw -A OUTPUT --set-counters 3 4 -j ACCEPT
iptables -t raw -Z OUTPUT 1
iptables -t security -A INPUT -j ACCEPT
iptables -t security -F INPUT
iptables -t mangle -N gone
iptables -t mangle -A gone -j MARK --set-mark 1
iptables -t mangle -F
iptables -t mangle -X
iptables --wait 3 -A FORWARD -j DROP
iptables -w5 -A FORWARD -j ACCEPT
iptables -4 -w -A FORWARD -j QUEUE

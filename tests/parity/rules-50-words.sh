# Rules as people write them, what iptables says to them and how it prints them again: words, spaces, quotes, long options, order.
# r CHAIN WORD...: appends the rule to table $t, prints what was made of it, and empties the chain.
r() {
  echo "$t $*"
  if iptables -t $t -A "$@"; then
    iptables -t $t -S $1 | grep '^-A'
    iptables -t $t -nL $1 | tail -n +3
  else
    echo "rc=$?"
  fi
  iptables -t $t -F $1
}
t=filter
r INPUT
r INPUT -j ACCEPT
r INPUT -jACCEPT
r INPUT -p tcp -jACCEPT
r INPUT -ptcp --dport=80 -jDROP
r INPUT --protocol tcp --destination-port 80 --jump DROP
r INPUT --protocol=tcp --dport=80 --jump=DROP
r INPUT --proto tcp --dpo 80 --ju DROP
r INPUT --prot tcp --match tcp --destination-ports 80 --jump DROP
r INPUT -j DROP -p tcp --dport 80
r INPUT -j REJECT --reject-with tcp-reset -p tcp
r INPUT -j REJECT -p tcp --reject-with tcp-reset
r INPUT -d 10.0.0.1 -s 10.0.0.2 -i eth0 -p udp
r INPUT -p udp --sport 1 -i eth0 -d 10.0.0.1 --dport 2 -s 10.0.0.2
r INPUT -m comment --comment "two words" -j ACCEPT
r INPUT -m comment --comment word
r INPUT -m comment --comment 'it is "quoted"'
r INPUT -m comment --comment "it's"
r INPUT -m comment --comment 'back\slash'
r INPUT -m comment --comment ''
r INPUT -m comment --comment "a-b_c"
r INPUT -m comment --comment "a.b"
r INPUT -m comment --comment 'semi;colon $dollar `tick` *'
r INPUT -m comment --comment=equals
r INPUT -m comment --comment "é ü"
r INPUT -m comment --comment a --comment b
r INPUT -m comment ! --comment a
r INPUT -m comment
r INPUT -m comment --comment a -m comment --comment b
r INPUT --comment a
r INPUT -m comment --comment 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
r INPUT -m comment --comment 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456
r INPUT -p tcp -p udp
r INPUT -s 10.0.0.1 -s 10.0.0.2
r INPUT -d 10.0.0.1 --dst 10.0.0.2
r INPUT -i a -i b
r FORWARD -o a -o b
r INPUT -j ACCEPT -j DROP
r INPUT -j ACCEPT -g INPUT
r INPUT -f -f
r INPUT -m tcp -m udp -p tcp
r INPUT ! -p tcp
r INPUT ! -p tcp --dport 80
r INPUT -p ! tcp
r INPUT ! ! -p tcp
r INPUT -s ! 10.0.0.1
r INPUT ! -s 10.0.0.1
r INPUT ! -j ACCEPT
r INPUT ! -m tcp
r INPUT !
r INPUT -p tcp ! --dport 80 -j ACCEPT !
r INPUT ! -f
r INPUT -f
r INPUT --fragments -p udp
r INPUT ! --fragment
r INPUT -c 1 2
r INPUT -c 1,2
r INPUT -c 1
r INPUT -c 1 x
r INPUT -c x 1
r INPUT --set-counters 5 6 -j ACCEPT
r INPUT -c -1 5
r INPUT stray
r INPUT -j ACCEPT stray
r INPUT 1 -j ACCEPT
r INPUT -p
r INPUT -s
r INPUT -j
r INPUT --jump
r INPUT --dport
r INPUT -p tcp --dport
r INPUT -p tcp --nosuch
r INPUT -p tcp --nosuch 1
r INPUT --s 10.0.0.1
r INPUT --sou 10.0.0.1
r INPUT --src 10.0.0.1
r INPUT --dst 10.0.0.1
r INPUT --d 10.0.0.1
r INPUT --in eth0
r INPUT --out eth0
r FORWARD --out-i eth0
r INPUT --fragments=1
r INPUT -Q
r INPUT -n
r INPUT -x
r INPUT --line-numbers
r INPUT -w -j ACCEPT
r INPUT -w 5 -j ACCEPT
r INPUT -w5 -j ACCEPT
r INPUT -w x -j ACCEPT
r INPUT --wait=3 -j ACCEPT
r INPUT -W 100 -w -j ACCEPT
r INPUT -4 -j ACCEPT
r INPUT -6 -j ACCEPT
r INPUT --ipv4 -j ACCEPT
r INPUT --
r INPUT -- -j ACCEPT
r INPUT -j ACCEPT --
r INPUT -
r INPUT ''
r INPUT -j ''
r INPUT -p ''
r INPUT -s ''
r INPUT -i ''
r INPUT -m ''
r INPUT -m nosuch
r INPUT -m nosuch --opt 1
r INPUT -j NOSUCH
r INPUT -j nosuch
r INPUT -j accept
r INPUT -g NOSUCH
r INPUT -j INPUT
r INPUT -g OUTPUT
r INPUT -j ACCEPT --nosuch
r INPUT -j LOG -j ACCEPT
r NOSUCH -j ACCEPT
r PREROUTING -j ACCEPT
r INPUT -o eth0
r OUTPUT -i eth0
r FORWARD -i a -o b
r INPUT -j a23456789012345678901234567
r INPUT -j a234567890123456789012345678
r INPUT -j a2345678901234567890123456789
r a2345678901234567890123456789 -j ACCEPT
r INPUT -t nat -j ACCEPT
r INPUT -A OUTPUT -j ACCEPT
r INPUT -L
r INPUT -F
r INPUT -Z
iptables -N one
iptables -N two
r one -j two
r one -g two
r one -jtwo
r one --goto two -p tcp
r one --goto=two
r one -j one
r one -g one
r one -j RETURN
r one -j QUEUE
iptables -F
iptables -X
iptables -N INPUT; echo $?
iptables -N one; echo $?
iptables -N one; echo $?
iptables -N 'a b'; echo $?
iptables -N -x; echo $?
iptables -N '!x'; echo $?
iptables -N ''; echo $?
iptables -N ACCEPT; echo $?
iptables -N LOG; echo $?
iptables -N a2345678901234567890123456789; echo $?
iptables -N a234567890123456789012345678; echo $?
iptables -N; echo $?
iptables -N one two; echo $?
iptables -E one; echo $?
iptables -E one INPUT; echo $?
iptables -E one two three; echo $?
iptables -X two three; echo $?
iptables -P INPUT; echo $?
iptables -P INPUT drop; echo $?
iptables -P INPUT REJECT; echo $?
iptables -P one DROP; echo $?
iptables -P INPUT DROP -c 5 6; echo $?
iptables -P INPUT ACCEPT extra; echo $?
iptables; echo $?
iptables -t; echo $?
iptables -t nat; echo $?
iptables -A; echo $?
iptables -A INPUT -D INPUT; echo $?
iptables -D INPUT 0; echo $?
iptables -D INPUT 1; echo $?
iptables -D INPUT x; echo $?
iptables -D INPUT -1; echo $?
iptables -I INPUT 0 -j ACCEPT; echo $?
iptables -I INPUT 2 -j ACCEPT; echo $?
iptables -I INPUT 0x1 -j ACCEPT; echo $?
iptables -R INPUT -j ACCEPT; echo $?
iptables -R INPUT 0 -j ACCEPT; echo $?
iptables -R INPUT 2 -j ACCEPT; echo $?
iptables -R INPUT 1 -j DROP; echo $?
iptables -R INPUT 1 -s 1.1.1.1,2.2.2.2 -j DROP; echo $?
iptables -C INPUT -j DROP; echo $?
iptables -C INPUT -j ACCEPT; echo $?
iptables -C NOSUCH -j ACCEPT; echo $?
iptables -D INPUT -j ACCEPT; echo $?
iptables -D INPUT -j DROP; echo $?
iptables -S INPUT 1 2; echo $?
iptables -S INPUT x; echo $?
iptables -S NOSUCH; echo $?
iptables -L NOSUCH; echo $?
iptables -L INPUT 7; echo $?
iptables -S -j ACCEPT; echo $?
iptables -F -j ACCEPT; echo $?
iptables -F NOSUCH; echo $?
iptables -Z NOSUCH; echo $?
iptables -Z INPUT 3; echo $?
iptables -L -Z >/dev/null; echo $?
iptables -S -Z >/dev/null; echo $?
iptables -L -F; echo $?
iptables --append INPUT --jump ACCEPT; echo $?
iptables --app INPUT -j ACCEPT; echo $?
iptables --insert=INPUT -j DROP; echo $?
iptables --delete INPUT 1; echo $?
iptables --list-rules INPUT; echo $?
iptables --list-r INPUT; echo $?
iptables --list INPUT --numeric; echo $?
iptables --flush=INPUT; echo $?
iptables --version; echo $?
iptables --vers; echo $?
iptables -V x; echo $?

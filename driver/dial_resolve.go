package driver

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
)

// orderedHosts is the order in which hosts are tried. Only hosts (and below, addresses) are shuffled, never the TLS and
// plain attempts at one address.
func (c *Config) orderedHosts() []HostSpec {
	hosts := slices.Clone(c.Hosts)
	if c.LoadBalanceHosts == "random" {
		rand.Shuffle(len(hosts), func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
	}
	return hosts
}

// resolve lists the addresses of a host. hostaddr and literal addresses ask no name server.
func (c *Config) resolve(ctx context.Context, h HostSpec) ([]target, error) {
	port := strconv.Itoa(int(h.Port))
	switch {
	case h.HostAddr != "":
		return []target{{h, "tcp", net.JoinHostPort(h.HostAddr, port)}}, nil
	case isSocketDir(h.Host):
		return []target{{h, "unix", h.Host + "/.s.PGSQL." + port}}, nil
	case net.ParseIP(h.Host) != nil:
		return []target{{h, "tcp", net.JoinHostPort(h.Host, port)}}, nil
	}
	lookup := c.Lookup
	if lookup == nil {
		lookup = net.DefaultResolver.LookupHost
	}
	addrs, err := lookup(ctx, h.Host)
	if err != nil {
		return nil, err
	}
	if len(addrs) == 0 {
		return nil, errors.New("the name has no address")
	}
	targets := make([]target, len(addrs))
	for i, a := range addrs {
		targets[i] = target{h, "tcp", a}
		if _, _, err := net.SplitHostPort(a); err != nil {
			targets[i].address = net.JoinHostPort(a, port)
		}
	}
	if c.LoadBalanceHosts == "random" {
		rand.Shuffle(len(targets), func(i, j int) { targets[i], targets[j] = targets[j], targets[i] })
	}
	return targets, nil
}

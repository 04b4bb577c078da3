package stdlib

import (
	"context"
	"math/rand/v2"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// RandomizeHostOrderFunc is a function for [OptionBeforeConnect] that puts the hosts of the configuration into random
// order, to spread connections over several servers. The attempts at one host, with TLS and without, stay together and in
// the order that sslmode gave them: where TLS is preferred, plain text is never tried before it. Set the pool's
// SetConnMaxLifetime, so that connections move on to servers that come back.
func RandomizeHostOrderFunc(_ context.Context, connConfig *pgx.ConnConfig) error {
	if len(connConfig.Fallbacks) == 0 {
		return nil
	}
	type server struct {
		host string
		port uint16
	}
	var order []server
	attempts := make(map[server][]*pgconn.FallbackConfig)
	for _, e := range entriesOf(connConfig) {
		s := server{e.Host, e.Port}
		if attempts[s] == nil {
			order = append(order, s)
		}
		attempts[s] = append(attempts[s], e)
	}
	rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	all := make([]*pgconn.FallbackConfig, 0, 1+len(connConfig.Fallbacks))
	for _, s := range order {
		all = append(all, attempts[s]...)
	}
	connConfig.Host, connConfig.Port, connConfig.TLSConfig = all[0].Host, all[0].Port, all[0].TLSConfig
	connConfig.Fallbacks = all[1:]
	return nil
}

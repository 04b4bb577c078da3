package copyin

import (
	"errors"
	"io"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/copyformat"
)

// endsAtMarker reports whether the server takes a line \. for the end of the data of a CSV, and throws away what is behind it.
func endsAtMarker(c *driver.Conn) bool {
	const firstWithout = 180000
	return c.Info().VersionNum < firstWithout
}

var errBehindMarker = errors.New(`there is data behind this line \., at which servers before PostgreSQL 18 end that of a COPY (as a value it needs quotes)`)

// markerGuard reads CSV, and fails where the server would throw a part of it away.
type markerGuard struct {
	r      io.Reader
	finder *copyformat.MarkerFinder // nil where the server has no marker
	lost   bool                     // there is data behind the marker
	active bool                     // the server is known, and has one
}

// serve tells of the server. What was read before may be an error now.
func (g *markerGuard) serve(c *driver.Conn) error {
	if g.active = endsAtMarker(c); !g.active {
		g.finder, g.lost = nil, false
	}
	return g.err()
}

func (g *markerGuard) err() error {
	if !g.active || !g.lost {
		return nil
	}
	return &RowError{Row: g.finder.Line(), Err: errBehindMarker}
}

// Read implements [io.Reader].
func (g *markerGuard) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	if g.finder != nil && !g.lost {
		g.lost = g.finder.Look(p[:n])
	}
	if lost := g.err(); lost != nil {
		return 0, lost
	}
	return n, err
}

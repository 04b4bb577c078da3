package driver

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// catalog is what a pool knows of its database's types and columns, for the ColumnTypes of rows. It is filled by a
// connection of its own: when it is asked, the asker's connection is busy with the rows and there is no context.
type catalog struct {
	sync.Mutex
	types  map[uint32]string
	nulls  map[columnKey]bool // whether a column is declared to hold NULL
	resume time.Time          // no look-up before: the last one failed or found nothing
}

type columnKey struct {
	table  uint32
	attnum uint16
}

const (
	catalogTimeout = 2 * time.Second  // of a look-up, connecting included
	catalogPause   = 10 * time.Second // between look-ups that bring nothing
	catalogMax     = 10000            // entries kept of each kind
)

// typeName is the name of a type in upper case, or its OID in digits while it is not known: it was made in a transaction
// that has not been committed, or the look-up failed.
func (cn *Connector) typeName(columns []column, oid uint32) string {
	if name, ok := builtinTypeName(oid); ok {
		return name
	}
	cn.lookUp(columns)
	cn.catalog.Lock()
	defer cn.catalog.Unlock()
	if name, ok := cn.catalog.types[oid]; ok {
		return name
	}
	return strconv.FormatUint(uint64(oid), 10)
}

// nullable reports whether a column is declared to hold NULL. A column that is declared NOT NULL may still be NULL in a
// result, under an outer join, so only the yes counts.
func (cn *Connector) nullable(columns []column, c *column) bool {
	if c.table == 0 {
		return false
	}
	cn.lookUp(columns)
	cn.catalog.Lock()
	defer cn.catalog.Unlock()
	return cn.catalog.nulls[columnKey{c.table, c.attnum}]
}

// lookUp asks the server for what is not known of columns, over a connection of its own.
func (cn *Connector) lookUp(columns []column) {
	cn.catalog.Lock()
	defer cn.catalog.Unlock()
	oids, tables := cn.catalog.missing(columns)
	if len(oids)+len(tables) == 0 || time.Now().Before(cn.catalog.resume) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), catalogTimeout)
	defer cancel()
	if !cn.fill(ctx, oids, tables) {
		cn.catalog.resume = time.Now().Add(catalogPause)
	}
}

// missing lists the types and tables that the columns have and the catalog has not.
func (c *catalog) missing(columns []column) (oids, tables []string) {
	for i := range columns {
		col := &columns[i]
		if _, builtin := builtinTypeName(col.oid); !builtin && c.types[col.oid] == "" {
			oids = append(oids, strconv.FormatUint(uint64(col.oid), 10))
		}
		if _, known := c.nulls[columnKey{col.table, col.attnum}]; col.table != 0 && !known {
			tables = append(tables, strconv.FormatUint(uint64(col.table), 10))
		}
	}
	return oids, tables
}

// catalogQuery asks for type names and columns of tables at once, in text. The numbers are OIDs that the server gave.
func catalogQuery(oids, tables []string) string {
	list := func(numbers []string) string { return "'{" + strings.Join(numbers, ",") + "}'::pg_catalog.oid[]" }
	return `select 't', oid, 0, pg_catalog.upper(typname), false from pg_catalog.pg_type where oid = any(` + list(oids) + `)
union all
select 'c', attrelid, attnum, '', not attnotnull from pg_catalog.pg_attribute
where attrelid = any(` + list(tables) + `) and attnum > 0 and not attisdropped`
}

// aside runs fn with a connection beside the pool's.
func (cn *Connector) aside(ctx context.Context, fn func(*link) error) error {
	cfg := cn.cfg.Clone()
	cfg.OnNotice, cfg.OnNotification, cfg.Tracer = nil, nil, nil
	l, err := cn.dial(ctx, &Conn{connector: cn, cfg: cfg})
	if err != nil {
		return err
	}
	defer l.giveBack(ctx)
	return fn(l)
}

// fill looks types and tables up, and reports whether it found all types.
func (cn *Connector) fill(ctx context.Context, oids, tables []string) bool {
	var results []*pgconn.Result
	err := cn.aside(ctx, func(l *link) (err error) {
		results, err = l.px.PgConn().Exec(ctx, catalogQuery(oids, tables)).ReadAll()
		return err
	})
	if err != nil || len(results) != 1 {
		return false
	}
	c := &cn.catalog
	if c.types == nil || len(c.types) > catalogMax || len(c.nulls) > catalogMax {
		c.types, c.nulls = make(map[uint32]string), make(map[columnKey]bool)
	}
	for _, row := range results[0].Rows {
		oid, _ := strconv.ParseUint(string(row[1]), 10, 32)
		if string(row[0]) == "t" {
			c.types[uint32(oid)] = string(row[3])
			continue
		}
		attnum, _ := strconv.ParseUint(string(row[2]), 10, 16)
		c.nulls[columnKey{uint32(oid), uint16(attnum)}] = string(row[4]) == "t"
	}
	return c.knows(oids)
}

// knows reports whether all types have a name.
func (c *catalog) knows(oids []string) bool {
	for _, text := range oids {
		oid, _ := strconv.ParseUint(text, 10, 32)
		if c.types[uint32(oid)] == "" {
			return false
		}
	}
	return true
}

// giveBack ends the use of a link that no Conn was made of.
func (l *link) giveBack(ctx context.Context) {
	if l.release != nil {
		l.release()
		return
	}
	closeQuietly(ctx, l.px)
}

package driver

import (
	"context"
	sqldriver "database/sql/driver"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// LookupTypes describes types by their names, which are SQL text as to_regtype takes it ("app"."mood", quoted). It asks the
// server, each time; a type that does not exist is nil. It is for functions of [Do].
func (c *Conn) LookupTypes(ctx context.Context, names []string) ([]*TypeInfo, error) {
	if len(names) == 0 {
		return nil, nil
	}
	ctx = WithQueryOptions(ctx, QueryOptions{})
	columns := make([]string, len(names))
	for i, name := range names {
		columns[i] = "coalesce(pg_catalog.to_regtype" + typedLiteral(name, false, "pg_catalog.text") + "::pg_catalog.oid::pg_catalog.int8, 0)"
	}
	rows, err := c.texts(ctx, "select "+strings.Join(columns, ", "))
	if err != nil {
		return nil, err
	}
	var oids []uint32
	found := make([]*TypeInfo, len(names))
	for _, text := range rows[0] {
		oid, _ := strconv.ParseUint(text, 10, 32)
		oids = append(oids, uint32(oid))
	}
	infos, err := c.describeTypes(ctx, oids)
	if err != nil {
		return nil, err
	}
	for i, oid := range oids {
		if n := slices.IndexFunc(infos, func(t *TypeInfo) bool { return t.OID == oid }); n >= 0 {
			found[i] = infos[n]
		}
	}
	return found, nil
}

// LoadTypes is LookupTypes for the pool: all its connections know the types from then on, and the types that these are made of.
// Composites in a value of any are maps then, and Go structs and slices are read from them and written to them without asking
// again. A type that is dropped and made again under its name is asked for again.
func (c *Conn) LoadTypes(ctx context.Context, names []string) ([]*TypeInfo, error) {
	found, err := c.LookupTypes(ctx, names)
	if err != nil {
		return nil, err
	}
	types := c.connector.types
	known := slices.DeleteFunc(slices.Clone(found), func(t *TypeInfo) bool { return t == nil })
	types.learn(known)
	seen := make(map[uint32]bool)
	for next := known; len(next) > 0; {
		var missing []uint32
		for _, t := range next {
			seen[t.OID] = true
			for _, oid := range t.related() {
				if oid >= firstUserOID && !seen[oid] {
					seen[oid] = true
					missing = append(missing, oid)
				}
			}
		}
		if next, err = c.describeTypes(WithQueryOptions(ctx, QueryOptions{}), missing); err != nil {
			return nil, err
		}
		types.learn(next)
	}
	for _, t := range known {
		types.load(t)
	}
	return found, nil
}

// RegisterType has values of a Go type stand for a type that [Conn.LookupTypes] has described, in all connections of the pool: encode
// makes an argument's text of a value, decode makes the value of a text. encode may be nil. What is already being read is not
// affected. The functions must not use the database, and are called by several goroutines at a time.
func (c *Conn) RegisterType(t *TypeInfo, goType reflect.Type, encode func(v any) (string, error), decode func(text string) (any, error)) {
	c.connector.types.learn([]*TypeInfo{t})
	c.connector.types.register(t, goType, typeAdapter{encode: encode, decode: decode})
	known := c.connector.known
	known.stale(known.current()) // in which values of the type may come in binary
}

// describeTypes asks for types. Those that do not exist are left out.
func (c *Conn) describeTypes(ctx context.Context, oids []uint32) ([]*TypeInfo, error) {
	oids = slices.DeleteFunc(slices.Clone(oids), func(oid uint32) bool { return oid == 0 })
	if len(oids) == 0 {
		return nil, nil
	}
	rows, err := c.texts(ctx, typeInfoQuery(oids, versionNum(c.pg.ParameterStatus("server_version"))))
	if err != nil {
		return nil, err
	}
	return parseTypeInfos(rows)
}

func parseTypeInfos(rows [][]string) (infos []*TypeInfo, err error) {
	for _, row := range rows {
		t, err := parseTypeInfo(row)
		if err != nil {
			return nil, err
		}
		infos = append(infos, t)
	}
	return infos, nil
}

// texts runs a query and returns its values as texts.
func (c *Conn) texts(ctx context.Context, query string) (all [][]string, err error) {
	rows, err := c.QueryContext(ctx, query, nil)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	values := make([]sqldriver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(values); err {
		case nil:
		case io.EOF:
			return all, nil
		default:
			return nil, err
		}
		row := make([]string, len(values))
		for i, v := range values {
			row[i] = fmt.Sprint(v)
		}
		all = append(all, row)
	}
}

// askTypeInfos asks for types over a connection of its own, where that of the caller is busy.
func (cn *Connector) askTypeInfos(oids []uint32) (infos []*TypeInfo, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), catalogTimeout)
	defer cancel()
	err = cn.aside(ctx, func(l *link) error {
		pg := l.px.PgConn()
		results, err := pg.Exec(ctx, typeInfoQuery(oids, versionNum(pg.ParameterStatus("server_version")))).ReadAll()
		if err != nil || len(results) != 1 {
			return err
		}
		rows := make([][]string, len(results[0].Rows))
		for i, row := range results[0].Rows {
			for _, v := range row {
				rows[i] = append(rows[i], string(v))
			}
		}
		infos, err = parseTypeInfos(rows)
		return err
	})
	return infos, err
}

// learnInfos asks in line for the composites among the types of parameters, whose arguments are Go values with fields.
func (e *engine) learnInfos(params []uint32, args []any) (asked bool, err error) {
	for depth := 0; depth < 16; depth++ {
		oids := e.codecs.missingInfos(params, args)
		if len(oids) == 0 {
			return asked, nil
		}
		asked = true
		var rows [][]string
		err := e.ask(typeInfoQuery(oids, versionNum(e.parameter("server_version"))), nil, func(row *pgproto3.DataRow) {
			texts := make([]string, len(row.Values))
			for i, v := range row.Values {
				texts[i] = string(v)
			}
			rows = append(rows, texts)
		})
		if err != nil {
			return true, err
		}
		infos, err := parseTypeInfos(rows)
		if err != nil {
			return true, err
		}
		e.codecs.set.learn(infos)
		if len(infos) < len(oids) {
			break
		}
	}
	return asked, nil
}

// missingInfos lists the types that are to be asked before args can be written as composites: those of the parameters, then
// those of their fields.
func (c *codecs) missingInfos(params []uint32, args []any) (oids []uint32) {
	if c.set == nil {
		return nil
	}
	infos := c.set.current().infos
	seen := make(map[uint32]bool)
	var visit func(oid uint32)
	visit = func(oid uint32) {
		if oid < firstUserOID || seen[oid] {
			return
		}
		seen[oid] = true
		t := infos[oid]
		if t == nil {
			oids = append(oids, oid)
			return
		}
		visit(t.Elem)
		visit(t.Base)
		for _, f := range t.Fields {
			visit(f.OID)
		}
	}
	for i, oid := range params {
		if oid >= firstUserOID && i < len(args) && mayBeComposite(args[i]) {
			visit(oid)
		}
	}
	return oids
}

package copyin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// merge is how rows get from a temporary table into the one that they are for.
type merge struct {
	table   ext.Name
	options *LoadOptions
	keys    []string // of the unique index; nil for any
	sameKey bool     // NULLs in the keys are equal: the index is NULLS NOT DISTINCT
}

// stage is what a batch over a temporary table needs.
type stage struct {
	name   ext.Name
	create string
	merge  string
	empty  string
}

// orderColumn numbers the rows of the temporary table.
const orderColumn = "pycopg copyin row"

const keysQuery = `
	select a.attname::text, i.indisprimary, %s
	from pg_catalog.pg_index i, unnest(i.indkey[0:i.indnkeyatts - 1]) with ordinality k(attnum, n)
	join pg_catalog.pg_attribute a on a.attnum = k.attnum
	where i.indrelid = pg_catalog.to_regclass($1) and a.attrelid = i.indrelid and i.indisunique and i.indisvalid and i.indpred is null
		and 0 <> all (i.indkey[0:i.indnkeyatts - 1])
	order by i.indisprimary desc, i.indexrelid, k.n`

// lookUp finds the index that is meant, where it matters which.
func (m *merge) lookUp(ctx context.Context, c *driver.Conn) error {
	m.keys = m.options.ConflictColumns
	if m.options.OnConflict == ConflictNothing {
		return nil
	}
	const firstWithSameNulls = 150000
	sameNulls := "false"
	if c.Info().VersionNum >= firstWithSameNulls {
		sameNulls = "i.indnullsnotdistinct"
	}
	rows, err := ext.Catalog(ctx, c, fmt.Sprintf(keysQuery, "i.indexrelid::int8, "+sameNulls), m.table.String())
	if err != nil {
		return err
	}
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n][2] == rows[0][2] {
			n++
		}
		if m.meant(rows[:n]) {
			return nil
		}
		rows = rows[n:]
	}
	if m.keys == nil {
		return fmt.Errorf("table %s has no primary key: ConflictUpdate needs ConflictColumns", m.table)
	}
	return nil // the server says that there is no such index
}

// meant reports whether an index is the one that is meant, and takes what matters of it.
func (m *merge) meant(rows [][]any) bool {
	var columns []string
	for _, row := range rows {
		columns = append(columns, fmt.Sprintf("%s", row[0]))
	}
	if primary, _ := rows[0][1].(bool); m.keys == nil && primary {
		m.keys = columns
		return true
	}
	if !slices.Equal(slices.Sorted(slices.Values(columns)), slices.Sorted(slices.Values(m.keys))) {
		return false
	}
	m.sameKey, _ = rows[0][3].(bool)
	return true
}

// stage makes the texts for rows that have the columns.
func (m *merge) stage(columns []string) (stage, error) {
	for _, key := range m.keys {
		if m.options.OnConflict == ConflictUpdate && !slices.Contains(columns, key) {
			return stage{}, fmt.Errorf("the rows have no column %q, by which ConflictUpdate finds those of the table", key)
		}
	}
	update := m.options.UpdateColumns
	for _, column := range update {
		if !slices.Contains(columns, column) {
			return stage{}, fmt.Errorf("the rows have no column %q, which UpdateColumns names", column)
		}
	}
	if update == nil {
		for _, column := range columns {
			if !slices.Contains(m.keys, column) {
				update = append(update, column)
			}
		}
	}
	if slices.Contains(columns, orderColumn) {
		return stage{}, errors.New("a column is named as this package names one of its own: " + orderColumn)
	}
	if m.options.OnConflict == ConflictNothing {
		update = nil
	}
	return m.texts("pycopg_copyin_"+strings.ToLower(rand.Text()[:10]), columns, update), nil
}

func (m *merge) texts(name string, columns, update []string) stage {
	s := stage{name: ext.Name{Schema: "pg_temp", Name: name}}
	list, order := quoteList(columns), ext.QuoteName(orderColumn)
	s.create = "create temporary table " + ext.QuoteName(name) + " on commit drop as select " + list + " from " + m.table.String() +
		" with no data; alter table " + s.name.String() + " add column " + order + " bigint generated always as identity"
	s.empty = "truncate " + s.name.String()

	from := "select " + list + " from " + s.name.String() + " order by " + order
	if m.options.OnConflict == ConflictUpdate {
		// Of the rows of a key the last one: ON CONFLICT refuses to update a row twice. NULLs are equal to nothing.
		apart := ""
		if !m.sameKey {
			apart = ", case when " + mapped(m.keys, " or ", func(k ...string) string { return ext.QuoteName(k...) + " is null" }) + " then " + order + " end"
		}
		from = "select " + list + " from (select distinct on (" + quoteList(m.keys) + apart + ") * from " + s.name.String() +
			" order by " + quoteList(m.keys) + apart + ", " + order + " desc) as r order by " + order
	}
	s.merge = "insert into " + m.table.String() + " (" + list + ") overriding system value " + from + " on conflict"
	if len(m.keys) > 0 {
		s.merge += " (" + quoteList(m.keys) + ")"
	}
	if len(update) == 0 {
		s.merge += " do nothing"
		return s
	}
	s.merge += " do update set " + mapped(update, ", ", func(c ...string) string { return ext.QuoteName(c...) + " = excluded." + ext.QuoteName(c...) })
	return s
}

// quoteList is names as a list of SQL.
func quoteList(names []string) string { return mapped(names, ", ", ext.QuoteName) }

// mapped joins what f makes of each name.
func mapped(names []string, separator string, f func(...string) string) string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = f(n)
	}
	return strings.Join(all, separator)
}

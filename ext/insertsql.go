package ext

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// OnConflict says what becomes of a row that a unique index or constraint refuses. The zero value makes it an error.
type OnConflict struct {
	Columns    []string // of the unique index that is meant
	Constraint string   // or the name of the constraint; neither means any (for Nothing only)
	Nothing    bool     // leave the row in the table as it is
	Update     []string // set these columns of the row in the table to the values of the new one
	Where      string   // with Update: SQL, a condition for it (the new row is excluded)
	Raw        string   // instead of all that: SQL, what follows ON CONFLICT
}

func (o OnConflict) isZero() bool {
	return len(o.Columns) == 0 && o.Constraint == "" && !o.Nothing && len(o.Update) == 0 && o.Where == "" && o.Raw == ""
}

// mayUpdate reports whether rows in the table may be changed.
func (o OnConflict) mayUpdate() bool { return len(o.Update) > 0 || o.Raw != "" }

var (
	errConflictRaw    = errors.New("OnConflict: Raw goes without the other fields")
	errConflictTarget = errors.New("OnConflict: Columns and Constraint exclude each other")
	errConflictAction = errors.New("OnConflict: it takes one of Nothing and Update")
	errConflictWhich  = errors.New("OnConflict: Update needs Columns or a Constraint")
	errConflictWhere  = errors.New("OnConflict: Where needs Update")
)

// check refuses combinations that mean nothing.
func (o OnConflict) check() error {
	target := len(o.Columns) > 0 || o.Constraint != ""
	switch {
	case o.isZero():
		return nil
	case o.Raw != "" && (target || o.Nothing || len(o.Update) > 0 || o.Where != ""):
		return errConflictRaw
	case o.Raw != "":
		return nil
	case len(o.Columns) > 0 && o.Constraint != "":
		return errConflictTarget
	case o.Nothing == (len(o.Update) > 0):
		return errConflictAction
	case len(o.Update) > 0 && !target:
		return errConflictWhich
	case o.Where != "" && len(o.Update) == 0:
		return errConflictWhere
	}
	return nil
}

// sql is the clause, with a blank ahead of it, "" for the zero value.
func (o OnConflict) sql() string {
	if o.isZero() {
		return ""
	}
	clause := " on conflict "
	switch {
	case o.Raw != "":
		return clause + o.Raw
	case o.Constraint != "":
		clause += "on constraint " + QuoteName(o.Constraint) + " "
	case len(o.Columns) > 0:
		clause += "(" + quoteNames(o.Columns) + ") "
	}
	if o.Nothing {
		return clause + "do nothing"
	}
	sets := make([]string, len(o.Update))
	for i, column := range o.Update {
		sets[i] = QuoteName(column) + " = excluded." + QuoteName(column)
	}
	clause += "do update set " + strings.Join(sets, ", ")
	if o.Where != "" {
		clause += " where " + o.Where
	}
	return clause
}

// insertSQL makes the texts of an insert. They depend on the columns alone, not on the rows.
type insertSQL struct {
	table      Name
	overriding bool
	conflict   OnConflict
	keepLast   bool
	returning  []string // columns, "*" alone for all
	counted    bool     // return the counts of inserted and of all rows
	bySystem   bool     // a system column tells them apart: not in views and partitioned tables
}

// head is what all texts begin with. Mocks and loggers see it.
func (s insertSQL) head(columns []string) string {
	sql := "insert into " + s.table.String()
	if len(columns) > 0 {
		sql += " (" + quoteNames(columns) + ")"
	}
	if s.overriding {
		sql += " overriding system value"
	}
	return sql
}

// tail is what follows the values.
func (s insertSQL) tail() string {
	sql := s.conflict.sql()
	switch {
	case s.counted && s.bySystem:
		sql += " returning xmax = 0 as inserted"
	case s.counted:
		sql += " returning 1"
	case len(s.returning) == 1 && s.returning[0] == "*":
		sql += " returning *"
	case len(s.returning) > 0:
		sql += " returning " + quoteNames(s.returning)
	}
	return sql
}

// countBySystem puts the counting around an insert where it is wanted: a row that was updated has been locked by its new
// transaction.
func (s insertSQL) countBySystem(insert string) string {
	if !s.counted {
		return insert
	}
	return "with changed as (" + insert + ") select count(*) filter (where inserted), count(*) from changed"
}

// countByKey counts an insert of rows by whether their keys were in the table when the statement began.
func (s insertSQL) countByKey(rows, insert string, match []string) string {
	exists := "false"
	if len(match) > 0 {
		exists = "exists (select from " + s.table.String() + " as t where " + strings.Join(match, " and ") + ")"
	}
	return "with r as materialized (" + rows + "), old as (select count(*) as n from r where " + exists + "), changed as (" + insert +
		") select (select count(*) from changed) - least(old.n, (select count(*) from changed)), (select count(*) from changed) from old"
}

// arrays inserts any number of rows from one array for each column.
func (s insertSQL) arrays(columns []*tableColumn) string {
	names, params, places := make([]string, len(columns)), make([]string, len(columns)), make([]string, len(columns))
	var keys, match []string
	for i, c := range columns {
		n := strconv.Itoa(i + 1)
		names[i], params[i], places[i] = c.name, "$"+n+"::"+c.cast+"[]", "c"+n
		if slices.Contains(s.conflict.Columns, c.name) {
			keys = append(keys, places[i])
			match = append(match, "t."+QuoteName(c.name)+" = r."+places[i])
		}
	}
	list, order := strings.Join(places, ", "), ""
	from := "unnest(" + strings.Join(params, ", ") + ") as r (" + list + ")"
	if s.keepLast && len(keys) > 0 {
		// NULLs are no duplicates of each other.
		distinct := strings.Join(keys, ", ") + ", case when " + strings.Join(keys, " is null or ") + " is null then n end"
		from = "(select distinct on (" + distinct + ") * from unnest(" + strings.Join(params, ", ") + ") with ordinality as r (" + list +
			", n) order by " + distinct + ", n desc) as r"
		order = " order by n"
	}
	if s.counted && !s.bySystem {
		return s.countByKey("select * from "+from, s.head(names)+" select "+list+" from r"+order+s.tail(), match)
	}
	return s.countBySystem(s.head(names) + " select " + list + " from " + from + order + s.tail())
}

// row inserts one row. Columns that are left out of given get their defaults.
func (s insertSQL) row(columns []*tableColumn, given []bool) string {
	if len(columns) == 0 {
		return s.countBySystem(s.head(nil) + " default values" + s.tail())
	}
	names, values, n := make([]string, len(columns)), make([]string, len(columns)), 0
	var match []string
	for i, c := range columns {
		names[i], values[i] = c.name, "default"
		if given[i] {
			n++
			values[i] = "$" + strconv.Itoa(n)
			if slices.Contains(s.conflict.Columns, c.name) {
				match = append(match, "t."+QuoteName(c.name)+" = "+values[i])
			}
		}
	}
	insert := s.head(names) + " values (" + strings.Join(values, ", ") + ")" + s.tail()
	if s.counted && !s.bySystem {
		return s.countByKey("select 1", insert, match)
	}
	return s.countBySystem(insert)
}

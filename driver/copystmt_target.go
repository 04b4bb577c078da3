package driver

import (
	"strconv"
	"strings"
)

// copyTarget asks for the columns that a COPY without a column list fills, with their types; those of domains are what the
// domain is over. It finds nothing, and is no error, where there is no such table: that is COPY's to say.
const copyTarget = `with recursive col(num, name, type) as (
	select attnum, attname, atttypid from pg_catalog.pg_attribute
	where attrelid = pg_catalog.to_regclass($1) and attnum > 0 and not attisdropped GENERATED
	union all
	select num, name, t.typbasetype from col join pg_catalog.pg_type t on t.oid = col.type where t.typtype = 'd'
)
select name, type from col join pg_catalog.pg_type t on t.oid = col.type where t.typtype <> 'd' order by num`

// copyTargetSQL is copyTarget for a server version. Generated columns are as old as version 12.
func copyTargetSQL(version int) string {
	const firstWithGenerated = 120000
	generated := ""
	if version >= firstWithGenerated {
		generated = "and attgenerated = ''"
	}
	return strings.ReplaceAll(copyTarget, "GENERATED", generated)
}

// targetColumn is a column of the table that a COPY fills.
type targetColumn struct {
	name string
	oid  uint32
}

// targetColumns are the rows of copyTarget.
func targetColumns(rows [][]string) (columns []targetColumn) {
	for _, row := range rows {
		if len(row) != 2 {
			continue
		}
		oid, _ := strconv.ParseUint(row[1], 10, 32)
		columns = append(columns, targetColumn{name: row[0], oid: uint32(oid)})
	}
	return columns
}

// targetTypes are the types of the n columns of a COPY, 0 for what is not known.
func (cs copyStatement) targetTypes(columns []targetColumn, n int) []uint32 {
	oids := make([]uint32, n)
	if cs.columns == nil {
		if len(columns) == n {
			for i, c := range columns {
				oids[i] = c.oid
			}
		}
		return oids
	}
	for i, name := range cs.columns {
		for _, c := range columns {
			if c.name == name && i < n {
				oids[i] = c.oid
			}
		}
	}
	return oids
}

// askable reports whether the server reads the table's name in a value as it does in the statement.
func (cs copyStatement) askable() bool { return cs.table != "" && !strings.Contains(cs.table, "&") }

// sendCopyAndAsk sends the COPY, and with it the question for its target.
func (e *engine) sendCopyAndAsk(sql string, cs copyStatement, version int) (columns []targetColumn, err error) {
	if !cs.askable() {
		return nil, e.sendCopy(sql)
	}
	q := copyQuestion{query: copyTargetSQL(version), arg: cs.table, together: true}
	err = e.sendCopyBehind(&q, sql)
	return targetColumns(q.rows), err
}

package driver

import "context"

// Description is what the server says of a statement without running it.
type Description struct {
	Params  []uint32            // the type OID of each parameter
	Columns []ColumnDescription // of the result, nil when the statement returns no rows
}

// ColumnDescription describes a result column.
type ColumnDescription struct {
	Name      string
	OID       uint32 // of the type
	Table     uint32 // OID of the table that the column is taken from, 0 for an expression
	Attribute uint16 // number of that column in the table (pg_attribute.attnum), 0 for an expression
	Size      int16  // of a value in bytes, negative where values differ in size (pg_type.typlen)
	TypeMod   int32  // type modifier (pg_attribute.atttypmod), -1 for none
}

// Describe asks the server for the parameters and result columns of one statement, in a round trip of its own. The
// statement is parsed and not run. It is for functions of [Do].
func (c *Conn) Describe(ctx context.Context, sql string) (Description, error) {
	if err := c.ready(ctx); err != nil {
		return Description{}, err
	}
	if err := checkSQL(sql); err != nil {
		return Description{}, err
	}
	c.wire.watch(ctx)
	never := false
	st := &statement{sql: sql, own: true} // what is remembered of a statement may be out of date
	err := c.engine.describe(st, &never)
	if err = c.finish(ctx, err); err != nil {
		return Description{}, err
	}
	return st.desc.exported(), nil
}

func (d *description) exported() Description {
	out := Description{Params: d.params}
	for _, c := range d.columns {
		out.Columns = append(out.Columns, c.exported())
	}
	return out
}

func (c *column) exported() ColumnDescription {
	return ColumnDescription{Name: c.name, OID: c.oid, Table: c.table, Attribute: c.attnum, Size: c.size, TypeMod: c.typmod}
}

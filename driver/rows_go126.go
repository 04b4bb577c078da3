//go:build !go1.27

package driver

import sqldriver "database/sql/driver"

// asRows is r as database/sql gets it.
func asRows(r *rows) sqldriver.Rows { return r }

// Package nilhandle refuses handles that are nil: database/sql would panic at them.
package nilhandle

import (
	"database/sql"
	"errors"
	"fmt"
)

// Check is an error where h, a handle, is nil, or a nil pointer of database/sql in an interface.
func Check(h any) error {
	isNil := false
	switch h := h.(type) {
	case nil:
		return errors.New("the handle is nil")
	case *sql.DB:
		isNil = h == nil
	case *sql.Conn:
		isNil = h == nil
	case *sql.Tx:
		isNil = h == nil
	}
	if isNil {
		return fmt.Errorf("the handle is a nil %T", h)
	}
	return nil
}

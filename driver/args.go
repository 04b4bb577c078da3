package driver

import (
	sqldriver "database/sql/driver"
	"fmt"
	"time"
)

// CheckNamedValue implements [sqldriver.NamedValueChecker]: it lets through what can be encoded for some parameter
// type, and calls Valuers. Whether the value fits is seen when the statement's types are known.
func (c *Conn) CheckNamedValue(nv *sqldriver.NamedValue) error {
	if cmd, ok := nv.Value.(*command); ok {
		cmd.reached = true
		return nil
	}
	return checkNamedValue(nv)
}

func checkNamedValue(nv *sqldriver.NamedValue) error {
	if isCommon(nv.Value) || isSetting(nv.Value) {
		return nil
	}
	v, err := checkArg(nv.Value)
	if err != nil {
		return fmt.Errorf("driver: argument $%d: %w", nv.Ordinal, err)
	}
	nv.Value = v
	return nil
}

// argValues are the values of args in their order.
func argValues(args []sqldriver.NamedValue) []any {
	if len(args) == 0 {
		return nil
	}
	return appendValues(make([]any, 0, len(args)), args)
}

// argValues are the values of args, in a slice that the next statement uses again. A tracer gets one of its own, which
// it may keep.
func (c *Conn) argValues(args []sqldriver.NamedValue) []any {
	if len(args) == 0 || len(args) > keptArgs || c.traced() {
		return argValues(args)
	}
	c.args = appendValues(c.args[:0], args)
	return c.args
}

// keptArgs is the longest argument list that is kept for reuse.
const keptArgs = 64

func appendValues(dst []any, args []sqldriver.NamedValue) []any {
	for i := range args {
		dst = append(dst, args[i].Value)
	}
	return dst
}

// isCommon reports whether v is of the types that most arguments have, which are what they are.
func isCommon(v any) bool {
	switch v.(type) {
	case int64, string, int, bool, float64, time.Time:
		return true
	}
	return false
}

package driver

import (
	"net/netip"
	"slices"
	"time"
)

// The first use of a statement sends its arguments as text, before the server has told their types. A time or an address
// has one text for every type but JSON, which wants it in quotes. So rare a parameter costs a second request, where one is
// possible: in a transaction, which the first refusal would end, such arguments are not sent before the types are known.

// What is remembered of a statement may be out of date where nothing shows it: the column of an INSERT was an integer, and
// is a text now. A server that is told the old type would store 7 for "007". So the types of plain arguments are left to
// the server until the statement is prepared, and learned anew when it is.

// learnsByText tells whether st is to be run with its arguments in text, to learn its types on the way.
func (e *engine) learnsByText(st *statement, args []any, wanted *bool) bool {
	if st.desc == nil {
		if !e.mayGuess(args) {
			return false
		}
	} else {
		if e.unnamed || !e.stmts.prepareNow(st, wanted) {
			return false
		}
		for i, arg := range args {
			if !e.codecs.isPlain(st.desc.params[i], arg) {
				return false
			}
		}
	}
	return e.textIsSafe() && countPlaceholders(st.sql, e.standardStrings()) == len(args)
}

// isPlain tells whether the text of arg is right for every type that the parameter may have by now, so far as the type
// that is remembered tells.
func (c *codecs) isPlain(oid uint32, arg any) bool {
	if jsonDiffers(arg) {
		return c.textSafe(arg) && !isJSON(c.base(oid))
	}
	return c.sameForAllTypes(arg)
}

// jsonDiffers tells whether a JSON parameter takes another text of arg than any other parameter does.
func jsonDiffers(arg any) bool {
	switch arg.(type) {
	case time.Time, netip.Addr, netip.Prefix:
		return true
	}
	return false
}

// mayGuess tells whether args may be sent before the parameters' types are known.
func (e *engine) mayGuess(args []any) bool {
	return e.status() == 'I' || !slices.ContainsFunc(args, jsonDiffers)
}

// mayHaveGuessedWrong reports whether the result failed, before it was bound, because of a text that JSON might want in
// another form. Then the statement may run once more.
func (r *result) mayHaveGuessedWrong(args []any) bool {
	return !r.bound && r.learning != nil && r.engine.status() == 'I' && serverCode(r.err) == codeInvalidText && slices.ContainsFunc(args, jsonDiffers)
}

// guessedWrong reports whether a JSON parameter did get that text.
func (r *result) guessedWrong(args []any) bool {
	for i, oid := range r.learning.params {
		if i < len(args) && isJSON(r.engine.codecs.base(oid)) && jsonDiffers(args[i]) {
			return true
		}
	}
	return false
}

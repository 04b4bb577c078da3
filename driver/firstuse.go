package driver

import (
	"net/netip"
	"slices"
	"time"
)

// The first use of a statement sends its arguments as text, before the server has told their types. A time or an address
// has one text for every type but JSON, which wants it in quotes. So rare a parameter costs a second request, where one is
// possible: in a transaction, which the first refusal would end, such arguments are not sent before the types are known.

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

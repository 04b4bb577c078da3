package admin

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// saslPrep is the form of a password that is hashed: SASLprep (RFC 4013), as PostgreSQL does it: ASCII as it is, and what is no
// UTF-8 or prohibited as well.
func saslPrep(password string) string {
	if !utf8.ValidString(password) || strings.IndexFunc(password, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return password
	}
	mapped := strings.Map(func(r rune) rune {
		switch {
		case inTable(saslSpaces, r):
			return ' '
		case inTable(saslNothing, r):
			return -1
		}
		return r
	}, password)
	runes := []rune(mapped) // the server looks for what is prohibited before it normalizes
	if len(runes) == 0 || slices.ContainsFunc(runes, func(r rune) bool { return inTable(saslRefused, r) }) || mixedDirections(runes) {
		return password
	}
	return norm.NFKC.String(mapped)
}

// mixedDirections reports whether a text breaks the rule for texts from right to left: they have no characters from left to right, and
// begin and end with one from right to left.
func mixedDirections(text []rune) bool {
	right := func(r rune) bool { return inTable(saslRightToLeft, r) }
	if !slices.ContainsFunc(text, right) {
		return false
	}
	return !right(text[0]) || !right(text[len(text)-1]) ||
		slices.ContainsFunc(text, func(r rune) bool { return inTable(saslLeftToRight, r) })
}

// inTable looks a character up in a table of ranges.
func inTable(table []rune, r rune) bool {
	i := sort.Search(len(table)/2, func(i int) bool { return table[2*i+1] >= r })
	return i < len(table)/2 && table[2*i] <= r
}

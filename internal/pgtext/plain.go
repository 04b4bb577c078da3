package pgtext

import (
	"strconv"
	"strings"
)

// ParseInts reads the text of an array of whole numbers of one dimension, without NULLs. ok is false for any other, and for numbers
// that T does not hold.
func ParseInts[T int | int16 | int32 | int64](text string) (all []T, ok bool) {
	body, ok := plainBody(text)
	if !ok {
		return nil, false
	}
	all = make([]T, 0, strings.Count(body, ",")+1)
	for i := 0; body != ""; {
		negative := body[0] == '-'
		if i = 0; negative {
			i = 1
		}
		n, first := int64(0), i
		for ; i < len(body) && body[i]-'0' <= 9; i++ {
			if n = n*10 - int64(body[i]-'0'); i-first > 18 || n > 0 {
				return nil, false
			}
		}
		if !negative {
			n = -n
		}
		if i == first || int64(T(n)) != n || n < 0 && !negative {
			return nil, false
		}
		all = append(all, T(n))
		if body, ok = cutComma(body[i:]); !ok {
			return nil, false
		}
	}
	return all, true
}

// ParseFloats is [ParseInts] for floating-point numbers.
func ParseFloats(text string) (all []float64, ok bool) {
	body, ok := plainBody(text)
	if !ok {
		return nil, false
	}
	all = make([]float64, 0, strings.Count(body, ",")+1)
	for body != "" {
		number, _, _ := strings.Cut(body, ",")
		f, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return nil, false
		}
		all = append(all, f)
		if body, ok = cutComma(body[len(number):]); !ok {
			return nil, false
		}
	}
	return all, true
}

// ParseStrings is [ParseInts] for texts.
func ParseStrings(text string) (all []string, ok bool) {
	body, ok := plainBody(text)
	if !ok {
		return nil, false
	}
	all = make([]string, 0, strings.Count(body, ",")+1)
	for body != "" {
		r := reader{text: body}
		switch {
		case r.take('"'):
			s, err := r.quoted(false)
			if err != nil {
				return nil, false
			}
			all = append(all, s)
		default:
			i := strings.IndexAny(body, ",\"\\ {}\t\n\r\v\f")
			if i < 0 {
				i = len(body)
			}
			if i == 0 || len(body[:i]) == 4 && strings.EqualFold(body[:i], "null") {
				return nil, false
			}
			all, r.at = append(all, body[:i]), i
		}
		if body, ok = cutComma(body[r.at:]); !ok {
			return nil, false
		}
	}
	return all, true
}

// plainBody is what stands between the braces.
func plainBody(text string) (string, bool) {
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return "", false
	}
	return text[1 : len(text)-1], true
}

// cutComma takes the comma ahead of a further element off.
func cutComma(text string) (string, bool) {
	if text == "" {
		return "", true
	}
	return text[1:], text[0] == ',' && len(text) > 1
}

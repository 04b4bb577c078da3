package timescale_test

import (
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin/timescale"
)

func join(all []timescale.Order) string {
	texts := make([]string, len(all))
	for i, o := range all {
		texts[i] = o.String()
	}
	return strings.Join(texts, ", ")
}

func TestParseOrder(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"ts":                                `"ts"`,
		"ts DESC, device":                   `"ts" desc, "device"`,
		" Ts\tasc  nulls  FIRST ,b":         `"Ts" nulls first, "b"`,
		`"odd, ""name""" desc`:              `"odd, ""name""" desc`,
		"ts desc nulls last, v nulls first": `"ts" desc nulls last, "v" nulls first`,
	} {
		got, err := timescale.ParseOrder(text)
		if err != nil || join(got) != want {
			t.Errorf("%q is %s, %v, want %s", text, join(got), err, want)
		}
	}
	for _, text := range []string{"", "a,", ",a", "a b", "a desc asc", "a nulls", "a nulls middle", `"a`, `""`, "lower(a)", "a; drop table m"} {
		if got, err := timescale.ParseOrder(text); err == nil || !strings.Contains(err.Error(), "timescale: order") {
			t.Errorf("%q is %s, %v, want an error", text, join(got), err)
		}
	}
}

func FuzzParseOrder(f *testing.F) {
	f.Add(`ts desc, "odd, ""name""" nulls first`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := timescale.ParseOrder(text)
		if err != nil {
			return
		}
		again, err := timescale.ParseOrder(join(got))
		if err != nil || join(again) != join(got) {
			t.Errorf("%q is %s, and that is %s, %v", text, join(got), join(again), err)
		}
	})
}

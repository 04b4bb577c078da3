package admin

import (
	"fmt"
	"html"
	"io"
	"strings"
	"unicode"
)

// The picture's measures, in pixels.
const (
	boxWidth  = 620
	boxHeight = 46
	rowHeight = 58
	stepIn    = 28 // to the right for each level
)

// WriteSVG writes the plan as a picture that needs nothing else: a box for each step, below the step that it feeds, with a bar for
// its [Plan.Share]. Steps of [Plan.Costly] are marked by their colour and class "costly". What else a step says appears when
// the mouse is over it.
func (p *Plan) WriteSVG(w io.Writer) error {
	_, err := io.WriteString(w, p.svg())
	return err
}

// WriteHTML writes a page with the picture of [Plan.WriteSVG] and the text of [Plan.String].
func (p *Plan) WriteHTML(w io.Writer) error {
	times := ""
	if p.PlanningTime > 0 || p.ExecutionTime > 0 {
		times = fmt.Sprintf("<p>planning %v, execution %v</p>\n", p.PlanningTime, p.ExecutionTime)
	}
	_, err := fmt.Fprintf(w, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Query plan</title>\n"+
		"<style>body { font: 14px sans-serif; margin: 2em } pre { background: #f4f4f4; padding: 1em; overflow: auto }</style>\n</head>\n<body>\n"+
		"<h1>Query plan</h1>\n%s%s\n<pre>%s</pre>\n</body>\n</html>\n", times, p.svg(), escape(p.String()))
	return err
}

func (p *Plan) svg() string {
	costly := map[*PlanNode]bool{}
	for _, n := range p.Costly() {
		costly[n] = true
	}
	var boxes strings.Builder
	rows, deepest := 0, 0
	row := map[*PlanNode]int{}
	for depth, n := range p.Root.All() {
		row[n] = rows
		p.box(&boxes, n, depth, rows, costly[n])
		deepest = max(deepest, depth)
		rows++
	}
	var lines strings.Builder
	for depth, n := range p.Root.All() {
		for _, c := range n.Children {
			x := depth*stepIn + stepIn/2 + 10
			fmt.Fprintf(&lines, "<path class=\"link\" d=\"M%d %dV%dH%d\"/>\n", x, row[n]*rowHeight+10+boxHeight, row[c]*rowHeight+10+boxHeight/2, (depth+1)*stepIn+10)
		}
	}
	width, height := deepest*stepIn+boxWidth+20, rows*rowHeight+10
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %[1]d %[2]d\">\n"+
		"<style>\n.box { fill: #fff; stroke: #888 }\n.costly .box { fill: #fdecea; stroke: #c0392b; stroke-width: 2 }\n.bar { fill: #7f8c8d }\n.costly .bar { fill: #c0392b }\n"+
		".link { fill: none; stroke: #888 }\ntext { font: 12px sans-serif; fill: #222 }\n.label { font-weight: bold }\n</style>\n%s%s</svg>", width, height, lines.String(), boxes.String())
}

// box draws a step.
func (p *Plan) box(b *strings.Builder, n *PlanNode, depth, row int, costly bool) {
	class, share := "step", p.Share(n)
	if costly {
		class = "step costly"
	}
	x, y := depth*stepIn+10, row*rowHeight+10
	label := n.Label
	if n.Subplan != "" {
		label = n.Subplan + ": " + label
	}
	fmt.Fprintf(b, "<g class=\"%s\" transform=\"translate(%d %d)\">\n<title>%s</title>\n<rect class=\"box\" width=\"%d\" height=\"%d\" rx=\"4\"/>\n", class, x, y, escape(p.details(n)), boxWidth, boxHeight)
	fmt.Fprintf(b, "<rect class=\"bar\" y=\"%d\" width=\"%.1f\" height=\"4\"/>\n", boxHeight-4, share*boxWidth)
	fmt.Fprintf(b, "<text class=\"label\" x=\"8\" y=\"17\">%s</text>\n<text x=\"8\" y=\"34\">%s</text>\n", escape(abbreviated(label, 80)), escape(abbreviated(strings.TrimSpace(n.figures()), 90)))
	fmt.Fprintf(b, "<text x=\"%d\" y=\"17\" text-anchor=\"end\">%.0f %%</text>\n</g>\n", boxWidth-8, 100*share)
}

// details are the lines of a step alone.
func (p *Plan) details(n *PlanNode) string {
	w := &planWriter{plan: p}
	alone := *n
	alone.Children = nil
	w.node(&alone)
	return strings.TrimSuffix(w.b.String(), "\n")
}

// abbreviated cuts a text off that does not fit.
func abbreviated(text string, length int) string {
	if runes := []rune(text); len(runes) > length {
		return string(runes[:length-1]) + "…"
	}
	return text
}

// escape makes a text fit for HTML and XML, which has no control characters.
func escape(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == 0xfffe || r == 0xffff || unicode.IsControl(r) && r != '\n' && r != '\t' {
			return '\ufffd'
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	return html.EscapeString(text)
}

package ext

// place is where a cursor stands, as far as it is known.
type place struct {
	row    int64 // the number of the row, the last one's when it is behind; 0 before the first, -1 when it is not known
	behind bool  // the last row
}

func (p *place) position() int64 {
	if p.behind && p.row >= 0 {
		return p.row + 1
	}
	return p.row
}

// passed notes that the cursor was to go over n rows, backward where n is negative, and went over moved.
func (p *place) passed(n, moved int64) {
	back := n < 0
	short := moved != max(n, -n)
	switch {
	case back && short:
		*p = place{}
	case p.row < 0:
		p.behind = short && !back
	case back && p.behind:
		*p = place{row: p.row - moved + 1}
	case back:
		p.row -= moved
	default:
		p.row += moved
		p.behind = short
	}
}

// jumped notes that the cursor was to go to row n, counted from the end where n is negative, and whether that is there.
func (p *place) jumped(n int64, found bool) {
	switch {
	case n == 0 || n < 0 && !found:
		*p = place{}
	case found && n > 0:
		*p = place{row: n}
	default:
		*p = place{row: -1, behind: !found}
	}
}

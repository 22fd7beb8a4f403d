package ranking

// falling maps full and below to 10000, zero and above to 0.
func falling(at, full, zero int64) int32 {
	switch {
	case at <= full:
		return whole
	case at >= zero:
		return 0
	}
	return int32((zero - at) * whole / (zero - full))
}

const notKnown = -1

// own works out the terms that are the program's own.
func (r *row) own(s Scales) {
	r.wait, r.survival = notKnown, notKnown
	if days := r.program.MedianWaitDays; days > 0 {
		r.wait = falling(int64(days), 0, int64(s.WaitZeroDays))
	}
	if tier := r.program.SurvivalTier; tier > 0 {
		r.survival = (directoryTiers - tier) * whole / (directoryTiers - 1)
	}
	r.waitWords, r.survivalWords = waitWords(r.program), survivalWords(r.program)
}

// directoryTiers is how many tiers of survival there are.
const directoryTiers = 5

// value works out the terms of a center that passed every filter, and which of them had nothing to go by.
func (a *asked) value(b *Board, r *row, f *Found, i int, out *[termCount]int32) (gaps gapSet) {
	if declared := r.program.Capacity; declared == nil {
		gaps |= gapCapacity.set()
	} else {
		places := declared.FreePlaces
		if f.FreeBeds != nil {
			places = min(places, *f.FreeBeds)
		} else {
			gaps |= gapBeds.set()
		}
		out[termCapacity] = int32(int64(min(max(places, 0), b.scales.PlacesFull)) * whole / int64(b.scales.PlacesFull))
	}
	if out[termWait] = r.wait; r.wait == notKnown {
		gaps, out[termWait] = gaps|gapWait.set(), 0
	}
	if out[termSurvival] = r.survival; r.survival == notKnown {
		gaps, out[termSurvival] = gaps|gapSurvival.set(), 0
	}
	switch {
	case f.DoorToDoor != nil:
		out[termDoor] = falling(int64(*f.DoorToDoor), int64(b.scales.DoorFullMinutes), int64(b.scales.DoorZeroMinutes))
	case !f.NoWay:
		gaps |= gapDoor.set()
	}
	if f.DirectSettlement {
		out[termDirect] = whole
	}
	if f.SelfPay != nil {
		out[termSelfPay] = falling(int64(*f.SelfPay), 0, b.scales.SelfPayZeroFen)
	} else {
		gaps |= gapSelfPay.set()
	}
	if choice := a.choice[i]; choice > 0 {
		out[termPreference] = int32(max(whole-int64(choice-1)*int64(b.scales.PreferenceStep), 0))
	}
	return gaps
}

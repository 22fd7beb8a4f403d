package referral

import "slices"

// Several centers may be asked at once, where the offer rules say so. Asking is the last of them, the others stand in
// Beside; each is asked by a job of its own, in the order of the patient's choice.

// askBeside asks the next chosen center as well, while fewer are asked than the rules allow.
func (r *Referral) askBeside() {
	next := r.next()
	if r.OfferID == "" || next == "" || len(r.Beside)+1 >= r.AtOnce {
		return
	}
	r.Beside = append(r.Beside, Asked{r.Asking, r.OfferID})
	r.Asking, r.OfferID = next, ""
	r.enqueue(Job{Do: JobAsk, Number: r.Round, Organisation: next})
}

// over forgets an offer that ended without a place, and asks on.
func (r *Referral) over(h Happening) {
	r.revoke(h.Center, h.Record, h.Occurred)
	if i := slices.Index(r.Beside, Asked{h.Center, h.Record}); i >= 0 {
		r.Beside = slices.Delete(r.Beside, i, i+1)
		r.askBeside()
		return
	}
	next := r.next()
	r.OfferID, r.Asking = "", next
	switch {
	case next != "":
		r.enqueue(Job{Do: JobAsk, Number: r.Round, Organisation: next})
	case len(r.Beside) > 0:
		last := len(r.Beside) - 1
		// Whoever is last in the order of choice is asked from there on: everybody behind was asked already.
		r.Asking, r.OfferID, r.Beside = r.Beside[last].Center, r.Beside[last].OfferID, r.Beside[:last]
		r.Chosen = upTo(r.Chosen, r.Asking)
	default:
		r.stopAsking()
	}
}

// passOver forgets whoever else was asked when a center has accepted. Their access ends with their offers' own events; a
// center that has access and no offer yet gets none any more.
func (r *Referral) passOver(h Happening) {
	if r.OfferID == "" && r.Asking != "" && r.Asking != h.Center {
		r.revoke(r.Asking, roundOf(Job{Number: r.Round, Organisation: r.Asking}), h.Occurred)
	}
	r.Asking, r.Beside = h.Center, nil
}

// upTo drops the centers behind one: they have answered.
func upTo(chosen []string, center string) []string {
	return slices.Clone(chosen[:slices.Index(chosen, center)+1])
}

// withdrawOpen owes taking back every open offer.
func (r *Referral) withdrawOpen() {
	if r.OfferID != "" {
		r.enqueue(Job{Do: JobWithdraw, Record: r.OfferID})
	}
	for _, b := range r.Beside {
		r.enqueue(Job{Do: JobWithdraw, Record: b.OfferID})
	}
}

package rest

import "context"

// Exchange is what is learnt of a request on its way, for its span, its metrics and its log line.
type Exchange struct {
	// Route is the pattern, such as "/v1/referrals/{referral_id}"; empty: no route took it.
	Route        string
	Organisation string
	reason       string
}

// Reason is why the request was refused; empty: it was not.
func (x *Exchange) Reason() string { return x.reason }

type exchangeKey struct{}

// WithExchange returns a context whose request is noted in x.
func WithExchange(ctx context.Context, x *Exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

func exchangeOf(ctx context.Context) *Exchange {
	x, _ := ctx.Value(exchangeKey{}).(*Exchange)
	return x
}

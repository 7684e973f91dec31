package rpc

import (
	"context"
	"errors"
	"time"

	"github.com/paynorm/paynorm/services/normalizer/access"
)

// errOtherCaller says that the token of a stream stands for somebody who may see
// or do something else than when the stream began.
var errOtherCaller = errors.New("the token does not allow what it allowed before")

// guard returns a context that ends, with the cause, when the caller of a stream
// would no longer be let in as who it was. end must be called when the stream is over.
func (i interceptors) guard(ctx context.Context, method string) (guarded context.Context, end func()) {
	guarded, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		again := time.NewTicker(i.again)
		defer again.Stop()
		for {
			select {
			case <-guarded.Done():
				return
			case <-again.C:
				if err := i.still(guarded, method); err != nil {
					cancel(err)
					return
				}
			}
		}
	}()
	return guarded, func() {
		cancel(nil)
		<-ended
	}
}

// still says why the caller of ctx would not be let in again as who it is.
func (i interceptors) still(ctx context.Context, method string) error {
	now, err := i.enter(ctx, method)
	if err != nil {
		return err
	}
	if !access.From(now).Equal(access.From(ctx)) {
		return errOtherCaller
	}
	return nil
}

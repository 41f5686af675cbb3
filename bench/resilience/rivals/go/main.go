// The rivals in Go: golang.org/x/time/rate and cenkalti/backoff, from Debian's packages. One JSON line a case.
package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sort"
	"time"

	"github.com/cenkalti/backoff"
	"golang.org/x/time/rate"
)

//go:noinline
func plain(attempt int) error { return nil }

func measure(rival, kind, what string, call func()) {
	once := func(calls int) float64 {
		began := time.Now()
		for i := 0; i < calls; i++ {
			call()
		}
		return float64(time.Since(began).Nanoseconds())
	}
	calls := 100
	for once(calls) < 2e6 {
		calls *= 2
	}
	var all []float64
	for i := 0; i < 25; i++ {
		all = append(all, once(calls)/float64(calls))
	}
	sort.Float64s(all)
	fmt.Printf("{\"rival\":%q,\"language\":%q,\"kind\":%q,\"what\":%q,\"ns\":%.2f}\n",
		rival, runtime.Version(), kind, what, all[len(all)/2])
}

func main() {
	policy := backoff.WithMaxRetries(backoff.NewExponentialBackOff(), 2)
	measure("cenkalti/backoff", "retry", "Retry", func() { _ = backoff.Retry(func() error { return plain(1) }, policy) })
	at_once := backoff.WithMaxRetries(&backoff.ZeroBackOff{}, 2)
	failed := errors.New("no")
	measure("cenkalti/backoff", "retry once", "Retry, ZeroBackOff (a timer all the same)", func() {
		attempt := 0
		_ = backoff.Retry(func() error {
			attempt++
			if attempt == 1 {
				return failed
			}
			return plain(attempt)
		}, at_once)
	})
	limiter := rate.NewLimiter(1e9, 1e6)
	measure("x/time/rate", "rate", "Allow", func() { limiter.Allow() })
	measure("x/time + cenkalti", "pipeline", "Allow, WithTimeout, Retry; no breaker", func() {
		if !limiter.Allow() {
			return
		}
		limited, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		_ = backoff.Retry(func() error { return plain(1) }, backoff.WithContext(policy, limited))
		cancel()
	})
}

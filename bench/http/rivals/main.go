// Go's net/http with its own pool, on one thread of execution. usage: main PORT CONCURRENCY REQUESTS
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func cpu() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Sec+usage.Stime.Sec) + float64(usage.Utime.Usec+usage.Stime.Usec)/1e6
}

func main() {
	runtime.GOMAXPROCS(1)
	port := os.Args[1]
	concurrency, _ := strconv.Atoi(os.Args[2])
	requests, _ := strconv.Atoi(os.Args[3])
	client := &http.Client{
		Transport: &http.Transport{MaxConnsPerHost: concurrency, MaxIdleConnsPerHost: concurrency, MaxIdleConns: concurrency,
			DisableCompression: true},
		Timeout:       60 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var wrong int64
	run := func(count int) []int64 {
		var left = int64(count)
		var group sync.WaitGroup
		all := make([][]int64, concurrency)
		for i := 0; i < concurrency; i++ {
			group.Add(1)
			go func(i int) {
				defer group.Done()
				for atomic.AddInt64(&left, -1) >= 0 {
					began := time.Now()
					response, err := client.Get("http://127.0.0.1:" + port + "/")
					if err != nil {
						atomic.AddInt64(&wrong, 1)
						continue
					}
					body, err := io.ReadAll(response.Body)
					response.Body.Close()
					if err != nil || len(body) != 512 {
						atomic.AddInt64(&wrong, 1)
					}
					all[i] = append(all[i], time.Since(began).Nanoseconds())
				}
			}(i)
		}
		group.Wait()
		var out []int64
		for _, one := range all {
			out = append(out, one...)
		}
		return out
	}
	warm := requests / 10
	if warm < concurrency {
		warm = concurrency
	}
	run(warm)
	before, began := cpu(), time.Now()
	latencies := run(requests)
	seconds, used := time.Since(began).Seconds(), cpu()-before
	sort.Slice(latencies, func(a, b int) bool { return latencies[a] < latencies[b] })
	fmt.Println(len(latencies), seconds, used, latencies[len(latencies)/2], latencies[len(latencies)*99/100], wrong)
}

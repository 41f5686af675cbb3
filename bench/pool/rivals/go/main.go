// Go's database/sql with a driver that does nothing: the same scenarios, the same lines.
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type stub struct{}

func (stub) Prepare(string) (driver.Stmt, error) { return nil, errors.New("a stub prepares nothing") }
func (stub) Close() error                        { return nil }
func (stub) Begin() (driver.Tx, error)           { return nil, errors.New("a stub begins nothing") }

type connector struct{ creation time.Duration }

func (c connector) Connect(context.Context) (driver.Conn, error) {
	if c.creation > 0 {
		time.Sleep(c.creation)
	}
	return stub{}, nil
}
func (c connector) Driver() driver.Driver { return nil }

func open(min, max int, creation time.Duration) *sql.DB {
	db := sql.OpenDB(connector{creation})
	db.SetMaxOpenConns(max)
	db.SetMaxIdleConns(max)
	held := make([]*sql.Conn, 0, min)
	for i := 0; i < min; i++ {
		held = append(held, borrow(context.Background(), db))
	}
	for _, conn := range held {
		conn.Close()
	}
	return db
}

func borrow(ctx context.Context, db *sql.DB) *sql.Conn {
	conn, err := db.Conn(ctx)
	if err != nil {
		panic(err)
	}
	return conn
}

// Of this process so far.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// Calls a millisecond, nanoseconds of processor time a call, and how even it was.
func crowd(threads int, each time.Duration, work func(int, *int32) int64) (float64, float64, float64) {
	var end int32
	var group sync.WaitGroup
	done := make([]int64, threads)
	start := make(chan struct{})
	for i := 0; i < threads; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			<-start
			done[i] = work(i, &end)
		}(i)
	}
	used := processorTime()
	began := time.Now()
	close(start)
	time.Sleep(each)
	atomic.StoreInt32(&end, 1)
	took := time.Since(began)
	group.Wait()
	used = processorTime() - used
	var sum, least, most int64
	for i, one := range done {
		sum += one
		if i == 0 || one < least {
			least = one
		}
		if one > most {
			most = one
		}
	}
	return float64(sum) / (took.Seconds() * 1e3), float64(used.Nanoseconds()) / float64(sum), float64(least) / float64(most)
}

func main() {
	const each = 150 * time.Millisecond
	who := "Go " + runtime.Version()[2:] + " database/sql"
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, shape := range [][2]int{{1, 1}, {2, 2}, {4, 4}, {8, 8}, {2, 1}, {4, 2}, {8, 4}} {
		db := open(shape[1], shape[1], 0)
		free, cpu, _ := crowd(shape[0], each, func(_ int, end *int32) int64 {
			var done int64
			for ; atomic.LoadInt32(end) == 0; done++ {
				borrow(ctx, db).Close()
			}
			return done
		})
		longest := make([]time.Duration, shape[0])
		_, _, share := crowd(shape[0], each, func(i int, end *int32) int64 {
			var done int64
			for ; atomic.LoadInt32(end) == 0; done++ {
				asked := time.Now()
				conn := borrow(ctx, db)
				if wait := time.Since(asked); wait > longest[i] {
					longest[i] = wait
				}
				conn.Close()
			}
			return done
		})
		var most time.Duration
		for _, one := range longest {
			if one > most {
				most = one
			}
		}
		fmt.Printf(`{"who":"%s","scenario":"%d/%d","cpu_ns":%.1f,"ops_per_ms":%.1f,"longest_wait_us":%.1f,"least_share":%.3f}`+"\n",
			who, shape[0], shape[1], cpu, free, float64(most.Nanoseconds())/1e3, share)
		db.Close()
	}
	db := open(5, 50, 150*time.Millisecond)
	var group sync.WaitGroup
	waits := make([]time.Duration, 50)
	start := make(chan struct{})
	for i := range waits {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			<-start
			asked := time.Now()
			conn := borrow(ctx, db)
			waits[i] = time.Since(asked)
			time.Sleep(2 * time.Millisecond)
			conn.Close()
		}(i)
	}
	began := time.Now()
	close(start)
	group.Wait()
	all := time.Since(began)
	var sum time.Duration
	for _, wait := range waits {
		sum += wait
	}
	fmt.Printf(`{"who":"%s","scenario":"spike","total":%d,"all_served_ms":%.2f,"mean_wait_ms":%.2f}`+"\n", who,
		db.Stats().OpenConnections, all.Seconds()*1e3, sum.Seconds()*1e3/50)
}

module axonflow/bench

go 1.21

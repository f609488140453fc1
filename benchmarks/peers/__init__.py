"""One module per contender. Each reads the page server's invoices and prints one line of JSON when it is done."""

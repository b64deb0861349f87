"""What serving costs: pages, requests, imports, near-duplicates; how good pages are; whether answers changed."""

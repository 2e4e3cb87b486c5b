"""What the service must outlive, done to it: killed, starved, shut out, told another time. docs/reliability.md."""

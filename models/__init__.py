"""What is true: answers and their rules (pydantic), records (SQLModel). No input or output, nothing else of ours."""

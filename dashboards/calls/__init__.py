"""How does the console ask the API? What each subject needs, over one client."""

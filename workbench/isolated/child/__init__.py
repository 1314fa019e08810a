"""What runs in the other environment: started by path, imports nothing of the workbench, needs Python 3.8 and numpy."""
